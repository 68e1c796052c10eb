import { expect, inject, test } from 'vitest';
import { createNamespace, createTestDatabase } from '../../support/fixtures.ts';
import { createRunner } from '../../support/run-sluice.ts';
import { startWorkerProcess } from '../../support/worker-process.ts';

/** What the kubelet sets in a namespace that has a Service of each of these names. */
const serviceLinks = Object.fromEntries(
  ['SLUICE', 'SLUICE_WORKER', 'SLUICE_CONSOLE'].flatMap((name) => [
    [`${name}_SERVICE_HOST`, '10.0.0.1'],
    [`${name}_SERVICE_PORT`, '9465'],
    [`${name}_PORT`, 'tcp://10.0.0.1:9465'],
    [`${name}_PORT_9465_TCP`, 'tcp://10.0.0.1:9465'],
    [`${name}_PORT_9465_TCP_ADDR`, '10.0.0.1'],
  ]),
);

test('environment: commands work where Kubernetes has Services with names like ours, and say what they passed over', async () => {
  const databaseUrl = await createTestDatabase();
  const run = createRunner({
    ...serviceLinks,
    DATABASE_URL: databaseUrl,
    REDIS_URL: inject('redisUrl'),
    SLUICE_NAMESPACE: createNamespace(),
  });
  const [migrate, queues] = await Promise.all([run('migrate'), run('queues', 'status', '--json')]);
  for (const { exitCode, stderr } of [migrate, queues]) {
    expect({ exitCode, lines: stderr.split('\n') }).toEqual({
      exitCode: 0,
      lines: [
        expect.stringContaining('warning: SLUICE_WORKER_PORT holds the address of a Kubernetes Service'),
        expect.stringContaining('warning: SLUICE_CONSOLE_PORT holds the address of a Kubernetes Service'),
      ],
    });
  }
});

test('environment: a worker minds its own variables, and no others', async () => {
  const place = { databaseUrl: await createTestDatabase(), redisUrl: inject('redisUrl'), namespace: createNamespace() };
  const others = {
    SLUICE_CONSOLE_HOST: '0.0.0.0',
    SLUICE_CHUNK_MAX_RECORDS: 'many',
    DSL_EXECUTION_LOG_SAMPLE_RATE: '5 %',
    HEALTH_EVENTS_MODE: 'maybe',
    SLUICE_RETENTION_DAYS: '',
  };
  const worker = await startWorkerProcess(place, { ...serviceLinks, ...others, SLUICE_WORKER_PORT: '0' });
  worker.kill('SIGTERM');
  expect(await worker.ended).toBe(0);

  const run = createRunner({ DATABASE_URL: place.databaseUrl, REDIS_URL: place.redisUrl, ...others });
  const [health, both] = await Promise.all([
    run('worker', 'health-events'),
    run('worker', 'maintenance', 'health-events'),
  ]);
  for (const { exitCode, stderr } of [health, both]) {
    expect(exitCode).toBe(2);
    expect(stderr.split('\n')).toEqual([
      'sluice: the configuration has 1 problem:',
      expect.stringContaining('  HEALTH_EVENTS_MODE is "maybe"'),
    ]);
  }
});
