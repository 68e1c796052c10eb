import { expect, inject, test } from 'vitest';
import { toExecutionRecord } from '../../../producers/executions/execution-record.ts';
import { jobName } from '../../../shared/contracts/queues.ts';
import { anExecution } from '../../support/execution.ts';
import { connect, createNamespace, createTestDatabase, openQueue, until } from '../../support/fixtures.ts';
import { startSluice } from '../../support/fleet.ts';
import { fillDefault, partitionRows } from '../../support/rows.ts';
import { calmLocks, startWorkerProcess } from '../../support/worker-process.ts';

async function aPlace() {
  const databaseUrl = await createTestDatabase();
  const place = { databaseUrl, redisUrl: inject('redisUrl'), namespace: createNamespace() };
  return { place, client: await connect(databaseUrl) };
}

function aChunk(count: number) {
  const context = { nowMs: Date.now(), sampleRate: 1, traceLimit: 200, maxBytes: 65_536 };
  const records = Array.from({ length: count }, () => JSON.parse(toExecutionRecord(anExecution(), context).json));
  return { v: 1, producer: 'test', epoch: 1, seq: 1, records };
}

test('worker: starts, stores and makes partitions where looking through the DEFAULT partition takes longer than a statement may', async () => {
  const { place, client } = await aPlace();
  await fillDefault(client, 1_500_000);
  await openQueue(place.namespace).add(jobName, aChunk(100));
  const worker = await startWorkerProcess(place, {
    ...calmLocks,
    SLUICE_DATABASE_STATEMENT_TIMEOUT_MS: '100',
    SLUICE_PARTITION_DAYS_AHEAD: '1',
  });
  await until(async () => (await worker.metric('sluice_records_total', { outcome: 'stored' })) === 100);
  // Yesterday, today and tomorrow.
  await until(async () => Object.keys(await partitionRows(client)).length === 4);
});

test('worker: one that waits for the partition of today is not ready and says for what, and a restart is not asked for', async () => {
  const { place, client } = await aPlace();
  await client.query('drop table strategy_execution_log_default');
  const changer = await connect(place.databaseUrl);
  await changer.query('begin');
  await changer.query('lock table strategy_execution_log in share update exclusive mode');
  const worker = await startSluice(['worker', 'execution-log'], {
    DATABASE_URL: place.databaseUrl,
    REDIS_URL: place.redisUrl,
    SLUICE_NAMESPACE: place.namespace,
    SLUICE_WORKER_PORT: '0',
    SLUICE_STUCK_AFTER_MS: '1000',
    SLUICE_DATABASE_STATEMENT_TIMEOUT_MS: '500',
  });
  const up = await until(() => worker.stdout.find((line) => line.includes('worker is up')));
  const ask = async (probe: string) => {
    const response = await fetch(`${JSON.parse(up).url}/${probe}`);
    return { code: response.status, ...((await response.json()) as { reason?: string }) };
  };
  await until(async () => /^waits for today's partition .*: in use$/.test((await ask('readyz')).reason ?? ''));
  const sinceMs = performance.now();
  await until(async () => performance.now() - sinceMs > 3_000);
  expect(await ask('healthz')).toMatchObject({ code: 200 });
  expect(await ask('readyz')).toMatchObject({ code: 503 });
  await changer.query('commit');
  await until(async () => (await ask('readyz')).code === 200);
});
