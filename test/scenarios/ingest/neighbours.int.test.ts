import { expect, inject, test } from 'vitest';
import { createBullmqTransport } from '../../../producers/core/transport.ts';
import { toExecutionRecord } from '../../../producers/executions/execution-record.ts';
import { createRedis } from '../../../shared/platform/redis/redis.ts';
import { anExecution } from '../../support/execution.ts';
import {
  changeBesideWorkers,
  connect,
  createNamespace,
  createTestDatabase,
  openQueue,
  until,
} from '../../support/fixtures.ts';
import { targetOf } from '../../support/redis-target.ts';
import { startWorker } from '../../support/worker.ts';

/** What is odd about one record, one job or one row must not cost another record anything. */

const recordText = (id: string, input: unknown = {}): string =>
  toExecutionRecord(anExecution({ id, input }), { nowMs: Date.now(), sampleRate: 1, traceLimit: 200, maxBytes: 65_536 })
    .json;
const idOf = (number: number): string => `0197c2f0-0000-7000-8000-${number.toString(16).padStart(12, '0')}`;
let seq = 0;
const chunkOf = (...records: string[]): string => {
  seq += 1;
  return `{"v":1,"producer":"test","epoch":1,"seq":${seq},"records":[${records.join(',')}]}`;
};

async function setUp(environment: Record<string, string> = {}) {
  const databaseUrl = await createTestDatabase();
  const namespace = createNamespace();
  const client = await connect(databaseUrl);
  const queue = openQueue(namespace);
  const add = async (...texts: string[]): Promise<void> => {
    const redis = createRedis(targetOf(inject('redisUrl')), { role: 'producer', name: 'test', logger: null });
    const transport = createBullmqTransport({ redis, queue: 'execution-log', namespace });
    await transport.send(texts.map((data, index) => ({ id: `job-${seq}-${index}`, data })));
    await transport.close();
  };
  const ids = async () =>
    (await client.query('select id from strategy_execution_log order by id')).rows.map(({ id }) => id);
  const idle = () =>
    until(async () => {
      const { waiting, active, delayed } = await queue.getJobCounts('waiting', 'active', 'delayed');
      return waiting === 0 && active === 0 && delayed === 0;
    });
  const deadLetters = async () =>
    (await client.query('select code, reason from dead_letter order by reason')).rows.map(
      ({ code, reason }) => `${code}: ${reason}`,
    );
  const start = () => startWorker(databaseUrl, namespace, { SLUICE_JOB_DELAY_MS: '200', ...environment });
  return { client, queue, add, ids, idle, deadLetters, start };
}

/** Before the worker starts, so that all are in one batch. */
const good = [1, 2, 3].map((number) => chunkOf(recordText(idOf(number))));

test('neighbours: whole numbers written as 2.0 or 3e0 are whole numbers', async () => {
  const { add, ids, idle, deadLetters, start } = await setUp();
  const odd = recordText(idOf(9))
    .replace('"nodesExecuted":2', '"nodesExecuted":2.0')
    .replace('"strategyVersion":3', '"strategyVersion":3e0');
  expect(odd).toContain('2.0');
  await add(...good, chunkOf(odd));
  await start();
  await idle();
  expect(await ids()).toEqual([1, 2, 3, 9].map(idOf));
  expect(await deadLetters()).toEqual([]);
});

test('neighbours: of a number that fits into no double, only its own record dies', async () => {
  const { add, ids, idle, deadLetters, start } = await setUp();
  await add(chunkOf(recordText(idOf(9)).replace('"points":12.5', '"points":1e-400')), ...good);
  await start();
  await idle();
  expect(await ids()).toEqual([1, 2, 3].map(idOf));
  expect(await deadLetters()).toEqual([expect.stringMatching(/^22003: /)]);
});

test('neighbours: digits of a good record stay what they are beside a bad one', async () => {
  const { client, add, ids, idle, start } = await setUp();
  const exact = recordText(idOf(8), { n: 0 }).replace('{"n":0}', '{"n":12345678901234567890}');
  const bad = recordText(idOf(9), { text: 'x' }).replace('"text":"x"', '"text":"\\u0000"');
  await add(chunkOf(exact), chunkOf(bad), chunkOf(exact.replace(idOf(8), idOf(7)), '{"no":"record"}'));
  await start();
  await idle();
  expect(await ids()).toEqual([7, 8].map(idOf));
  const { rows } = await client.query('select input::text as input from strategy_execution_log');
  expect(rows).toEqual([{ input: '{"n": 12345678901234567890}' }, { input: '{"n": 12345678901234567890}' }]);
});

test.each([
  [
    'is nested twenty thousand levels deep',
    chunkOf(recordText(idOf(9), { n: 0 }).replace('{"n":0}', `{"n":${'['.repeat(20_000)}${']'.repeat(20_000)}}`)),
  ],
  ['has two lists of records', chunkOf(recordText(idOf(9))).replace(/\}$/, `,"records":[${recordText(idOf(10))}]}`)],
])('neighbours: a chunk that %s is a dead letter, and the others are stored', async (_what, odd) => {
  const { queue, add, ids, idle, deadLetters, start } = await setUp();
  await add(good[0] ?? '', odd, good[1] ?? '', good[2] ?? '');
  await start();
  await idle();
  expect(await ids()).toEqual([1, 2, 3].map(idOf));
  expect(await deadLetters()).toEqual([expect.stringMatching(/^schema: chunk: /)]);
  expect(await queue.getFailedCount()).toBe(0);
});

test('neighbours: a row that somebody else keeps locked holds up its own record only', async () => {
  const { client, add, ids, idle, deadLetters, start } = await setUp({ SLUICE_DATABASE_STATEMENT_TIMEOUT_MS: '300' });
  await start();
  await client.query('begin');
  const locked = JSON.parse(recordText(idOf(2)));
  await client.query(
    `insert into strategy_execution_log (id, recorded_at, strategy_id, strategy_version, strategy_type, status, duration_ms, nodes_executed, sampled, sample_rate)
     values ($1, $2, 's', 1, 't', 'ok', 1, 1, true, 1)`,
    [locked.id, locked.recordedAt],
  );
  const others = Array.from({ length: 60 }, (_, n) => chunkOf(recordText(idOf(100 + n))));
  await add(...others.slice(0, 30), chunkOf(JSON.stringify(locked)), ...others.slice(30));
  // The client sees its own row, too.
  await until(async () => (await ids()).length === 61);
  await client.query('commit');
  await idle();
  expect(await ids()).toHaveLength(61);
  expect(await deadLetters()).toEqual([]);
});

test('neighbours: an error of the server that nobody foresaw makes jobs wait, not fail', async () => {
  const { client, queue, add, ids, idle, start } = await setUp({ SLUICE_FAILED_JOBS_KEPT: '1' });
  await client.query(`create function broken_disk() returns trigger language plpgsql as
    'begin raise exception using errcode = ''58030''; end'`);
  await client.query('create trigger broken before insert on strategy_execution_log execute function broken_disk()');
  const worker = await start();
  await add(...good);
  await until(async () => (await worker.metric('sluice_statement_retries_total', { code: '58030' })) > 3);
  await until(async () => (await queue.getActiveCount()) === 3);
  expect(await queue.getFailedCount()).toBe(0);
  await changeBesideWorkers(client, 'drop trigger broken on strategy_execution_log');
  await idle();
  expect(await ids()).toEqual([1, 2, 3].map(idOf));
});

test('neighbours: at the deadline jobs are handed back, also those whose statement has no answer yet', async () => {
  const { client, queue, add, ids, idle, start } = await setUp({ SLUICE_DATABASE_STATEMENT_TIMEOUT_MS: '20000' });
  const first = await start();
  await client.query('begin');
  await client.query('lock table strategy_execution_log in access exclusive mode');
  await add(...Array.from({ length: 40 }, (_, n) => chunkOf(recordText(idOf(n)))));
  await until(async () => (await queue.getActiveCount()) === 40);
  const stopped = first.stop(100);
  await until(async () => (await queue.getWaitingCount()) === 40);
  expect(await queue.getActiveCount()).toBe(0);
  await client.query('rollback');
  expect(await stopped).toBe(false);
  await start();
  await idle();
  expect(await ids()).toHaveLength(40);
});
