import { expect, inject, test } from 'vitest';
import { createBullmqTransport } from '../../../producers/core/transport.ts';
import { toExecutionRecord } from '../../../producers/executions/execution-record.ts';
import type { Execution } from '../../../producers/index.ts';
import { deadLetterName, toDeadLetterKey } from '../../../shared/contracts/dead-letter-key.ts';
import { jobName } from '../../../shared/contracts/queues.ts';
import { createRedis } from '../../../shared/platform/redis/redis.ts';
import { anExecution } from '../../support/execution.ts';
import { connect, createNamespace, createTestDatabase, openQueue, until } from '../../support/fixtures.ts';
import { targetOf } from '../../support/redis-target.ts';
import { startObserver } from '../../support/started-observer.ts';
import { startWorker } from '../../support/worker.ts';

function recordOf(execution: Execution): Record<string, unknown> {
  return JSON.parse(
    toExecutionRecord(execution, { nowMs: Date.now(), sampleRate: 1, traceLimit: 200, maxBytes: 65_536 }).json,
  );
}

/** Adds jobs whose data is this very text, as a producer in another language could. */
async function addRawJobs(namespace: string, ids: string[], data: string): Promise<void> {
  const redis = createRedis(targetOf(inject('redisUrl')), { role: 'producer', name: 'test', logger: null });
  const transport = createBullmqTransport({ redis, queue: 'execution-log', namespace });
  await transport.send(ids.map((id) => ({ id, data })));
  await transport.close();
}

let lastSeq = 0;
function chunkOf(records: unknown[], overrides: object = {}) {
  lastSeq += 1;
  return { v: 1, producer: 'test', epoch: 1, seq: lastSeq, records, ...overrides };
}

test('execution log: what the SDK records is in its columns, field by field', async () => {
  const databaseUrl = await createTestDatabase();
  const namespace = createNamespace();
  await startWorker(databaseUrl, namespace);
  const observer = startObserver(namespace);
  const client = await connect(databaseUrl);

  observer.record(
    anExecution({
      id: '0197c2f0-0000-7000-8000-000000000001',
      recordedAt: new Date('2026-03-01T12:34:56.789Z'),
      status: 'error',
      errorCode: 'DSL_ARITH_DIV_BY_ZERO',
      errorMessage: 'division by zero',
      failedNodeId: 'r1.then.0',
      points: null,
      caseName: null,
      parentStrategyId: 'default',
      astHash: 'abc123',
      attempt: 2,
    }),
  );

  const row = await until(async () => (await client.query('select * from strategy_execution_log')).rows[0]);
  expect(row).toEqual({
    id: '0197c2f0-0000-7000-8000-000000000001',
    recorded_at: new Date('2026-03-01T12:34:56.789Z'),
    strategy_id: '0197c2f0-7a4b-7c3d-9e1f-3b2a1c0d9e8f',
    strategy_version: 3,
    strategy_type: 'DSL_FULL',
    realm_id: 'realm-1',
    external_game_id: 'game-1',
    external_task_id: 'task-1',
    external_user_id: 'user-1',
    status: 'error',
    error_code: 'DSL_ARITH_DIV_BY_ZERO',
    error_message: 'division by zero',
    failed_node_id: 'r1.then.0',
    points: null,
    case_name: null,
    duration_ms: 3.25,
    nodes_executed: 2,
    trace: [
      { nodeId: 'r1.c', type: 'compare', value: true },
      { nodeId: 'r1', type: 'rule', value: true, branch: 'match' },
    ],
    trace_length: 2,
    sampled: false,
    sample_rate: 1,
    parent_strategy_id: 'default',
    ast_hash: 'abc123',
    input: { level: 3 },
    attempt: 2,
    notes: null,
    outcome: 'DSL_ARITH_DIV_BY_ZERO',
    stored_at: expect.any(Date),
    trace_id: null,
    span_id: null,
    weight: 1,
    duration_bin: 324,
  });
});

test('execution log: an absent trace is SQL NULL, not JSON null', async () => {
  const databaseUrl = await createTestDatabase();
  const namespace = createNamespace();
  await startWorker(databaseUrl, namespace);
  startObserver(namespace).record(anExecution({ trace: null, input: undefined }));
  const client = await connect(databaseUrl);
  const row = await until(
    async () =>
      (await client.query('select trace is null as trace, input is null as input from strategy_execution_log')).rows[0],
  );
  expect(row).toEqual({ trace: true, input: true });
});

const poisons: [string, Partial<Execution>][] = [
  ['Infinity in the trace', { trace: [{ nodeId: 'n', type: 'literal', value: Number.POSITIVE_INFINITY }] }],
  ['NaN points', { points: Number.NaN }],
  ['NUL in the trace', { trace: [{ nodeId: 'n', type: 'literal', value: 'a\0b' }] }],
  ['a lone surrogate in the trace', { trace: [{ nodeId: 'n', type: 'literal', value: '\ud800' }] }],
  ['NUL in the external user id', { externalUserId: 'user\0' }],
  ['a Date in the trace', { trace: [{ nodeId: 'n', type: 'literal', value: new Date(0) }] }],
  ['a BigInt in the input', { input: { n: 12345678901234567890n } }],
  ['a NUL in a key of the input', { input: { 'a\0': 1 } }],
  ['five thousand levels of nesting', { input: JSON.parse(`${'['.repeat(5_000)}${']'.repeat(5_000)}`) }],
  ['a strategy id longer than an index entry', { strategyId: '€'.repeat(5_000) }],
  ['a version beyond integer', { strategyVersion: 2 ** 40 }],
  ['an infinite duration', { durationMs: Number.POSITIVE_INFINITY }],
  ['a record of two megabytes', { input: 'x'.repeat(2_000_000) }],
  ['a time before our era', { recordedAt: new Date(-8.64e15) }],
];

test('execution log: no poison value costs a record its row, and the row says what was changed', async () => {
  const databaseUrl = await createTestDatabase();
  const namespace = createNamespace();
  await startWorker(databaseUrl, namespace);
  const observer = startObserver(namespace);
  for (const [name, poison] of poisons) observer.record(anExecution({ status: 'error', errorCode: name, ...poison }));
  await observer.drain();

  const client = await connect(databaseUrl);
  const rows = await until(async () => {
    const found = await client.query<{ error_code: string; notes: string | null }>(
      'select error_code, notes from strategy_execution_log',
    );
    return found.rowCount === poisons.length ? found.rows : null;
  });
  expect(rows.map((row) => row.error_code).sort()).toEqual(poisons.map(([name]) => name).sort());
  expect(rows.filter((row) => row.notes === null)).toEqual([]);
});

test('execution log: a chunk that is delivered again adds no rows and counts as duplicates', async () => {
  const databaseUrl = await createTestDatabase();
  const namespace = createNamespace();
  const worker = await startWorker(databaseUrl, namespace);
  const queue = openQueue(namespace);
  const records = Array.from({ length: 30 }, () => recordOf(anExecution()));
  for (let delivery = 1; delivery <= 5; delivery += 1) await queue.add(jobName, chunkOf(records));

  await until(async () => (await worker.metric('sluice_jobs_total', { outcome: 'completed' })) === 5);
  const client = await connect(databaseUrl);
  expect((await client.query('select count(*)::int as n from strategy_execution_log')).rows).toEqual([{ n: 30 }]);
  expect(await worker.metric('sluice_records_total', { outcome: 'stored' })).toBe(30);
  expect(await worker.metric('sluice_records_total', { outcome: 'duplicate' })).toBe(120);
});

test('execution log: a chunk of a newer version is delayed, neither failed nor stored', async () => {
  const databaseUrl = await createTestDatabase();
  const namespace = createNamespace();
  const worker = await startWorker(databaseUrl, namespace);
  const queue = openQueue(namespace);
  const job = await queue.add(jobName, chunkOf([{ something: 'else' }], { v: 5 }));
  await until(() => job.isDelayed());
  expect(await queue.getJobCounts('failed', 'delayed')).toEqual({ failed: 0, delayed: 1 });
  expect(await worker.metric('sluice_jobs_total', { outcome: 'newer_contract' })).toBe(1);
});

test('execution log: a malformed record becomes a dead letter, with its field, and no other does', async () => {
  const databaseUrl = await createTestDatabase();
  const namespace = createNamespace();
  const worker = await startWorker(databaseUrl, namespace);
  const queue = openQueue(namespace);
  const bad: Record<string, unknown> = { ...recordOf(anExecution()), strategyId: 7 };
  const job = await queue.add(jobName, chunkOf([recordOf(anExecution()), bad, recordOf(anExecution())]));
  await until(async () => (await worker.metric('sluice_jobs_total', { outcome: 'completed' })) === 1);

  const client = await connect(databaseUrl);
  expect((await client.query('select from strategy_execution_log')).rowCount).toBe(2);
  const { rows } = await client.query('select * from dead_letter');
  expect(rows).toHaveLength(1);
  expect(rows[0]).toMatchObject({
    queue: 'execution-log',
    record_key: toDeadLetterKey(String(bad['id']), JSON.stringify(bad)),
    contract_version: 1,
    code: 'schema',
    reason: 'strategyId: Invalid input: expected string, received number',
    job_id: job.id,
    producer: 'test',
    attempts: 1,
    state: 'open',
  });
  expect(JSON.parse(rows[0].payload)).toEqual(bad);
});

test('execution log: what is no chunk at all becomes a dead letter too, whole', async () => {
  const databaseUrl = await createTestDatabase();
  const namespace = createNamespace();
  await startWorker(databaseUrl, namespace);
  await openQueue(namespace).add(jobName, { v: 1, hello: 'world' });
  const client = await connect(databaseUrl);
  const row = await until(async () => (await client.query('select payload, reason from dead_letter')).rows[0]);
  expect(row.payload).toBe('{"v":1,"hello":"world"}');
  expect(row.reason).toMatch(/^chunk: producer: /);
});

test('execution log: of a thousand records exactly the seven that cannot be stored are dead letters, within the bound', async () => {
  const databaseUrl = await createTestDatabase();
  const namespace = createNamespace();
  const queue = openQueue(namespace);
  const bad: Record<number, Record<string, unknown>> = {
    0: { errorMessage: 'a\0b' },
    13: { input: { deep: ['\ud800'] } },
    200: { points: 'many' },
    499: { strategyId: 's'.repeat(600) },
    500: { colour: 'red' },
    777: { trace: [{ value: 'a\0b' }] },
    999: { recordedAt: '2026-02-30T00:00:00Z' },
  };
  const records = Array.from({ length: 1_000 }, (_, index) => ({ ...recordOf(anExecution()), ...bad[index] }));
  await queue.addBulk(
    [0, 1, 2, 3, 4].map((part) => ({ name: jobName, data: chunkOf(records.slice(part * 200, part * 200 + 200)) })),
  );
  const worker = await startWorker(databaseUrl, namespace, { SLUICE_BATCH_MAX_WAIT_MS: '500' });
  await until(async () => (await worker.metric('sluice_jobs_total', { outcome: 'completed' })) === 5);

  const client = await connect(databaseUrl);
  expect((await client.query('select from strategy_execution_log')).rowCount).toBe(993);
  const { rows } = await client.query('select record_key, code from dead_letter');
  expect(rows.map((row) => deadLetterName(row.record_key)).sort()).toEqual(
    Object.keys(bad)
      .map((index) => records[Number(index)]?.['id'])
      .sort(),
  );
  expect(await worker.metric('sluice_records_total', { outcome: 'stored' })).toBe(993);
  expect(await worker.metric('sluice_records_total', { outcome: 'dead' })).toBe(7);
  // Three of them are refused by the database, the others by the contract before they get there.
  const refusedByDatabase = rows.filter((row) => row.code !== 'schema').length;
  const statements = await worker.metric('sluice_batch_records_count', {});
  expect(refusedByDatabase).toBeGreaterThanOrEqual(3);
  expect(statements).toBeGreaterThan(refusedByDatabase);
  expect(statements).toBeLessThanOrEqual(2 * refusedByDatabase * Math.log2(993) + 1);
});

test('execution log: a dead record that is delivered again is the same dead letter, and its numbers keep all digits', async () => {
  const databaseUrl = await createTestDatabase();
  const namespace = createNamespace();
  const worker = await startWorker(databaseUrl, namespace);
  const raw = `{"v":1,"producer":"p","epoch":1,"seq":1,"records":[{"id":"not-a-uuid","points":12345678901234567890.10}]}`;
  await addRawJobs(namespace, ['a', 'b'], raw);
  await until(async () => (await worker.metric('sluice_jobs_total', { outcome: 'completed' })) === 2);
  const client = await connect(databaseUrl);
  const { rows } = await client.query('select payload, attempts from dead_letter');
  expect(rows).toEqual([{ payload: '{"id":"not-a-uuid","points":12345678901234567890.10}', attempts: 2 }]);
});

test('execution log: when most of what comes is dead, the worker hands it back, takes no more and says so', async () => {
  const databaseUrl = await createTestDatabase();
  const namespace = createNamespace();
  const queue = openQueue(namespace);
  const chunks = Array.from({ length: 20 }, () =>
    chunkOf(Array.from({ length: 10 }, () => ({ ...recordOf(anExecution()), strategyId: 7 }))),
  );
  await queue.addBulk(chunks.map((data) => ({ name: jobName, data })));
  const worker = await startWorker(databaseUrl, namespace, {
    SLUICE_DEAD_SHARE_MIN_RECORDS: '50',
    SLUICE_WORKER_CONCURRENCY: '1',
  });

  await until(async () => (await worker.metric('sluice_worker_halted', {})) === 1);
  await until(async () => (await queue.getJobCounts('active'))['active'] === 0);
  const client = await connect(databaseUrl);
  const buried = (await client.query('select from dead_letter')).rowCount ?? 0;
  const { waiting = 0 } = await queue.getJobCounts('waiting');
  expect(buried).toBeLessThan(60);
  expect(waiting * 10 + buried).toBe(200);
});

test('execution log: a job is complete only after its rows are committed, and a statement that times out is repeated', async () => {
  const databaseUrl = await createTestDatabase();
  const namespace = createNamespace();
  const queue = openQueue(namespace);
  const worker = await startWorker(databaseUrl, namespace, { SLUICE_DATABASE_STATEMENT_TIMEOUT_MS: '100' });
  const client = await connect(databaseUrl);
  await client.query('begin');
  await client.query('lock table strategy_execution_log in access exclusive mode');

  const job = await queue.add(jobName, chunkOf([recordOf(anExecution())]));
  await until(async () => (await worker.metric('sluice_statement_retries_total', { code: '57014' })) >= 2);
  expect(await job.isActive()).toBe(true);
  expect(await worker.metric('sluice_jobs_total', { outcome: 'completed' })).toBe(0);

  await client.query('commit');
  await until(async () => (await worker.metric('sluice_jobs_total', { outcome: 'completed' })) === 1);
  expect((await client.query('select from strategy_execution_log')).rowCount).toBe(1);
});

test('execution log: a worker that stops while the database is locked hands its jobs back to the queue', async () => {
  const databaseUrl = await createTestDatabase();
  const namespace = createNamespace();
  const queue = openQueue(namespace);
  const worker = await startWorker(databaseUrl, namespace, { SLUICE_DATABASE_STATEMENT_TIMEOUT_MS: '100' });
  const client = await connect(databaseUrl);
  await client.query('begin');
  await client.query('lock table strategy_execution_log in access exclusive mode');
  const job = await queue.add(jobName, chunkOf([recordOf(anExecution())]));
  await until(async () => (await worker.metric('sluice_statement_retries_total', {})) >= 1);

  expect(await worker.stop(1)).toBe(false);
  await until(() => job.isWaiting());
  expect(await queue.getFailedCount()).toBe(0);
});

test('execution log: while the table lacks a column jobs wait, none fails, and all is stored when it is back', async () => {
  const databaseUrl = await createTestDatabase();
  const namespace = createNamespace();
  const queue = openQueue(namespace);
  const worker = await startWorker(databaseUrl, namespace);
  const client = await connect(databaseUrl);
  await client.query('alter table strategy_execution_log rename column notes to remarks');
  const job = await queue.add(jobName, chunkOf([recordOf(anExecution())]));
  await until(
    async () => (await worker.metric('sluice_statement_retries_total', { class: 'systemic', code: '42703' })) >= 3,
  );
  expect(await job.isActive()).toBe(true);

  await client.query('alter table strategy_execution_log rename column remarks to notes');
  await until(async () => (await client.query('select from strategy_execution_log')).rowCount === 1);
  expect(await queue.getFailedCount()).toBe(0);
});

test('execution log: of large jobs a worker takes fewer at once', async () => {
  const databaseUrl = await createTestDatabase();
  const namespace = createNamespace();
  const records = Array.from({ length: 100 }, () => recordOf(anExecution({ input: { text: 'x'.repeat(30_000) } })));
  await startWorker(databaseUrl, namespace, { SLUICE_WORKER_MAX_BYTES: '8000000', SLUICE_WORKER_CONCURRENCY: '8' });
  const client = await connect(databaseUrl);
  // Statements take as long as there is a row in this table.
  await client.query('create table hold as select 1');
  await client.query(`create function hold() returns trigger language plpgsql security definer set search_path from current as
    'begin while exists (select from hold) loop perform pg_sleep(0.05); end loop; return null; end'`);
  await client.query('create trigger hold before insert on strategy_execution_log execute function hold()');
  // Three megabytes each, of which eight could be in hand by number. What is in hand reaches the bound with the third.
  for (let part = 0; part < 12; part += 1)
    await addRawJobs(namespace, [`large-${part}`], JSON.stringify(chunkOf(records)));
  const queue = openQueue(namespace);
  await until(async () => (await queue.getActiveCount()) === 3 && (await queue.getWaitingCount()) === 9);
  await client.query('delete from hold');
  await until(async () => (await queue.getWaitingCount()) === 0);
  await until(async () => (await queue.getActiveCount()) === 0);
  expect((await client.query('select count(*)::int as n from strategy_execution_log')).rows).toEqual([{ n: 100 }]);
});

test('execution log: a statement that cannot be done in time is done in parts', async () => {
  const databaseUrl = await createTestDatabase();
  const namespace = createNamespace();
  const client = await connect(databaseUrl);
  // Ten milliseconds for each row: thirty rows fit into the time that a statement has, a hundred and twenty do not.
  await client.query(`create function slow_row() returns trigger language plpgsql as
    'begin perform pg_sleep(0.01); return new; end'`);
  await client.query(
    'create trigger slow before insert on strategy_execution_log for each row execute function slow_row()',
  );
  await startWorker(databaseUrl, namespace, { SLUICE_DATABASE_STATEMENT_TIMEOUT_MS: '400' });
  const records = Array.from({ length: 120 }, () => recordOf(anExecution()));
  await addRawJobs(namespace, ['slow'], JSON.stringify(chunkOf(records)));
  await until(
    async () => (await client.query('select count(*)::int as n from strategy_execution_log')).rows[0].n === 120,
  );
  const queue = openQueue(namespace);
  await until(async () => (await queue.getActiveCount()) === 0);
  expect(await queue.getJobCounts('waiting', 'failed')).toEqual({ waiting: 0, failed: 0 });
}, 60_000);
