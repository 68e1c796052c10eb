import { Registry } from 'prom-client';
import { expect, inject, onTestFinished, test } from 'vitest';
import { createExecutionObserver } from '../../../producers/index.ts';
import { createCompletedRequest } from '../../../workers/completed-requests/role.ts';
import { createHealthEvents } from '../../../workers/health-events/role.ts';
import { aConsole } from '../../support/a-console.ts';
import { anExecution } from '../../support/execution.ts';
import {
  connect,
  createEmptyDatabase,
  createNamespace,
  createTestDatabase,
  openQueue,
  until,
} from '../../support/fixtures.ts';
import { createHealthKeys } from '../../support/health.ts';
import { createRoles } from '../../support/roles.ts';
import { createRunner } from '../../support/run-sluice.ts';
import { insertDeadLetter, insertRun } from '../../support/seed-console.ts';
import { startRole, startWorker } from '../../support/worker.ts';

async function store(namespace: string, count: number): Promise<void> {
  const observer = createExecutionObserver({
    redisUrl: inject('redisUrl'),
    namespace,
    producer: { sampleRate: 1 },
    registry: new Registry(),
  });
  for (let index = 0; index < count; index += 1) observer.record(anExecution());
  await observer.close();
}

test('grants: the migrator migrates an empty database, the workers store there, and the migrator maintains it', async () => {
  const { admin, migratorUrl, workerUrl } = await createRoles(await createEmptyDatabase());
  const asMigrator = createRunner({ DATABASE_URL: migratorUrl });
  expect(await asMigrator('migrate')).toMatchObject({ exitCode: 0 });
  const namespace = createNamespace();
  const executions = await startWorker(workerUrl, namespace);
  const requests = await startRole(createCompletedRequest, workerUrl, namespace);
  const health = await startRole(createHealthEvents, workerUrl, namespace, createHealthKeys().environment);
  await store(namespace, 5);
  await until(async () => (await admin.query('select from strategy_execution_log')).rowCount === 5);
  expect([executions, requests, health].map(({ livenessFailure }) => livenessFailure())).toEqual([null, null, null]);
  expect((await admin.query('select from only strategy_execution_log_default')).rowCount).toBe(0);
  expect(await asMigrator('maintain')).toMatchObject({ exitCode: 0 });
});

test('grants: a database that another user has made before is handed over', async () => {
  const { grant, migratorUrl } = await createRoles(await createTestDatabase());
  await grant();
  const asMigrator = createRunner({ DATABASE_URL: migratorUrl });
  expect(await asMigrator('migrate')).toMatchObject({ exitCode: 0 });
  expect(await asMigrator('maintain', '--json')).toMatchObject({ exitCode: 0 });
  const findings = (
    await createRunner({ DATABASE_URL: migratorUrl, REDIS_URL: inject('redisUrl') })('doctor', '--json')
  ).json() as { findings: { check: string; level: string }[] };
  expect(findings.findings.find(({ check }) => check === 'rights')).toMatchObject({ level: 'ok' });
});

test('grants: without a partition for today a worker that may make none stores into the DEFAULT one', async () => {
  const { admin, workerUrl } = await createRoles(await createTestDatabase());
  const namespace = createNamespace();
  const worker = await startWorker(workerUrl, namespace);
  await store(namespace, 5);
  await until(async () => (await admin.query('select from strategy_execution_log_default')).rowCount === 5);
  expect(worker.livenessFailure()).toBeNull();
  const maintained = await createRunner({ DATABASE_URL: workerUrl })('maintain', '--json');
  expect(maintained.json()).toMatchObject({
    partitions: {
      outcome: 'postponed',
      postponed: expect.arrayContaining([expect.objectContaining({ why: 'not allowed' })]),
      waiting: expect.stringContaining('may not create partitions'),
      defaultRows: 5,
    },
  });
});

test.each(['a superuser', 'a member of the migrator'])(
  'grants: partitions that %s makes, and a DEFAULT one made anew, are the migrator’s, and the worker and the console may use them',
  async (who) => {
    const { admin, migratorUrl, workerUrl, consoleUrl } = await createRoles(await createTestDatabase());
    const { username: migrator } = new URL(migratorUrl);
    const [worker, console] = [workerUrl, consoleUrl].map((url) => decodeURIComponent(new URL(url).username));
    const maker = new URL(migratorUrl);
    if (who === 'a superuser') {
      [maker.username, maker.password] = [admin.user ?? '', String(admin.password)];
    } else {
      const member = `${worker}_member`;
      await admin.query(`create role "${member}" login password 'secret' in role "${decodeURIComponent(migrator)}"`);
      onTestFinished(async () => {
        const server = await connect(inject('postgresUrl'));
        await server.query(`drop database if exists "${admin.database}" with (force)`);
        await server.query(`drop role "${member}"`);
      });
      maker.username = member;
    }
    const lastWeek = new Date(Date.now() - 7 * 86_400_000);
    const userId = 'user-1';
    await insertRun(admin as never, { recorded_at: lastWeek, external_user_id: userId });
    expect(await createRunner({ DATABASE_URL: maker.href })('maintain', 'partitions')).toMatchObject({ exitCode: 0 });

    const { rows } = await admin.query(
      `select distinct pg_get_userbyid(relowner) as owner, has_table_privilege($1, oid, 'select, insert, update, delete') as worker,
         has_table_privilege($2, oid, 'select') as console, has_table_privilege($2, oid, 'insert, update, delete, truncate') as writes
       from pg_class where oid in (select relid from pg_partition_tree('strategy_execution_log'))`,
      [worker, console],
    );
    expect(rows).toEqual([{ owner: decodeURIComponent(migrator), worker: true, console: true, writes: false }]);
    expect((await admin.query('select from only strategy_execution_log_default')).rowCount).toBe(0);
    const asWorker = createRunner({
      DATABASE_URL: workerUrl,
      REDIS_URL: inject('redisUrl'),
      SLUICE_NAMESPACE: createNamespace(),
    });
    expect(await asWorker('erase', 'user', userId, '--yes')).toMatchObject({ exitCode: 0 });
  },
);

test('grants: a console that may only read reads all, and answers each write with 403 and the right that it lacks', async () => {
  const { admin, consoleUrl } = await createRoles(await createTestDatabase());
  const executionId = await insertRun(admin as never);
  const deadLetterId = await insertDeadLetter(admin as never);
  const { get, ask, namespace } = await aConsole({ DATABASE_URL: consoleUrl });
  for (const path of [
    '/api/v1/executions',
    `/api/v1/executions/${executionId}`,
    '/api/v1/strategies',
    '/api/v1/strategy?strategyId=bonus',
    '/api/v1/requests',
    '/api/v1/dead-letters',
    '/api/v1/dead-letters/causes',
    `/api/v1/dead-letters/${deadLetterId}`,
    '/api/v1/runtime-records',
    '/api/v1/queues',
    '/readyz',
  ])
    expect([path, (await get(path)).status]).toEqual([path, 200]);

  for (const [method, path, body] of [
    ['DELETE', '/api/v1/requests/018f0000-0000-7000-8000-000000000000', undefined],
    ['POST', '/api/v1/dead-letters/replay', { ids: [deadLetterId] }],
    ['POST', '/api/v1/dead-letters/discard', { ids: [deadLetterId] }],
  ] as const) {
    const answer = await ask(method, path, body === undefined ? {} : { body });
    expect([path, answer.status, answer.body.detail]).toEqual([
      path,
      403,
      expect.stringMatching(/permission denied for table \w+/),
    ]);
  }
  const { rows } = await admin.query('select state, replays from dead_letter');
  expect(rows).toEqual([{ state: 'open', replays: 0 }]);
  expect(await openQueue(namespace).getJobCountByTypes()).toBe(0);
});

test('grants: what is printed goes to the schema of DATABASE_URL, and bad names of roles are refused', async () => {
  const sluice = createRunner({ DATABASE_URL: 'postgresql://u@h/d?schema=my-schema' });
  expect((await sluice('grants', '--worker', 'w x')).stdout).toMatch(
    /grant usage on schema "my-schema" to "w x", "sluice_console";/,
  );
  for (const args of [
    ['--worker', "a'b"],
    ['--worker', 'pg_x'],
    ['--worker', 'sluice_console'],
    ['--console', ''],
  ])
    expect(await sluice('grants', ...args)).toMatchObject({
      exitCode: 2,
      stdout: '',
      stderr: expect.stringMatching(/role/),
    });
});
