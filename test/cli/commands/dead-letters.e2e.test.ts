import { randomUUID } from 'node:crypto';
import { expect, inject, onTestFinished, test } from 'vitest';
import { storeDeadLetters, toDeadLetter } from '../../../dead-letters/store.ts';
import { toExecutionRecord } from '../../../producers/executions/execution-record.ts';
import { loadConfig } from '../../../shared/platform/config/config.ts';
import { createDatabase } from '../../../shared/platform/postgres/database.ts';
import { anExecution } from '../../support/execution.ts';
import { connect, createNamespace, createTestDatabase, openQueue, until } from '../../support/fixtures.ts';
import { startSluice } from '../../support/fleet.ts';
import { startWorker } from '../../support/worker.ts';

/** A record that only its message keeps from being stored. */
function aDeadRecord(message: string): Record<string, unknown> {
  const { json } = toExecutionRecord(anExecution({ status: 'error' }), {
    nowMs: Date.now(),
    sampleRate: 1,
    traceLimit: 200,
    maxBytes: 65_536,
  });
  return { ...JSON.parse(json), errorMessage: message };
}

async function setUp() {
  const databaseUrl = await createTestDatabase();
  const namespace = createNamespace();
  const database = createDatabase(loadConfig({ DATABASE_URL: databaseUrl }).database, 'test');
  onTestFinished(() => database.$disconnect());
  const storeDead = (records: unknown[], code = '22P05', reason = 'unsupported Unicode escape sequence') =>
    storeDeadLetters(
      database,
      records.map((record) =>
        toDeadLetter(JSON.stringify(record), code, reason, {
          queue: 'execution-log',
          contractVersion: 1,
          jobId: 'j',
          producer: 'p',
        }),
      ),
    );
  const run = async (...args: string[]) => {
    const call = await startSluice(['dead-letters', ...args], {
      DATABASE_URL: databaseUrl,
      REDIS_URL: inject('redisUrl'),
      SLUICE_NAMESPACE: namespace,
    });
    const exitCode = await call.ended;
    const last = call.stdout.at(-1) ?? '';
    return { exitCode, stdout: call.stdout.join('\n'), stderr: call.stderr.join('\n'), json: () => JSON.parse(last) };
  };
  return { databaseUrl, namespace, storeDead, run, client: await connect(databaseUrl) };
}

test('dead letters: list groups them by cause, with counts and an example', async () => {
  const { storeDead, run } = await setUp();
  await storeDead([aDeadRecord('a\0'), aDeadRecord('b\0'), aDeadRecord('c\0')]);
  await storeDead([{ id: randomUUID(), strategyId: 7 }], 'schema', 'strategyId: expected string, received number');
  const groups = (await run('list', '--json')).json();
  expect(groups.map(({ deadLetters, code }: { deadLetters: number; code: string }) => [deadLetters, code])).toEqual([
    [3, '22P05'],
    [1, 'schema'],
  ]);
  const { stdout } = await run('list');
  expect(stdout).toContain('3 open  execution-log');
  const shown = await run('show', groups[1].exampleId);
  expect(JSON.parse(shown.stdout)).toMatchObject({ code: 'schema', state: 'open' });
  expect((await run('show', randomUUID())).exitCode).toBe(1);
});

test('dead letters: repaired and replayed, also twice, each lands once and stays visible as stored', async () => {
  const { storeDead, run, client, databaseUrl, namespace } = await setUp();
  await storeDead([aDeadRecord('a\0'), aDeadRecord('b\0')]);
  expect((await run('replay', '--all', '--dry-run', '--json')).json()).toEqual({ wouldReplay: 2 });
  expect((await client.query("select from dead_letter where state = 'open'")).rowCount).toBe(2);

  const replay = ['replay', '--all', '--repair', 'strip-nul', '--json'];
  expect((await run(...replay)).json()).toEqual({ replayed: 2, skipped: [] });
  expect((await run(...replay)).json()).toEqual({ replayed: 0, skipped: [] });
  expect((await run('list', '--state', 'replayed')).stdout).toContain('2 replayed  execution-log');
  await startWorker(databaseUrl, namespace);
  await until(async () => (await client.query("select from dead_letter where state = 'stored'")).rowCount === 2);

  const { rows } = await client.query('select state, replays, attempts from dead_letter');
  expect(rows).toEqual([1, 2].map(() => ({ state: 'stored', replays: 1, attempts: 1 })));
  expect((await run('list', '--state', 'stored')).stdout).toContain('2 stored  execution-log');
  const messages = await client.query('select error_message from strategy_execution_log order by 1');
  expect(messages.rows.map((row) => row.error_message)).toEqual(['a\uFFFD', 'b\uFFFD']);
});

test('dead letters: what is replayed without a repair is dead again, and open again', async () => {
  const { storeDead, run, client, databaseUrl, namespace } = await setUp();
  await storeDead([aDeadRecord('a\0')]);
  expect(
    (await run('replay', '--signature', '22P05 unsupported Unicode escape sequence', '--json')).json().replayed,
  ).toBe(1);
  await startWorker(databaseUrl, namespace);
  const row = await until(
    async () => (await client.query('select state, attempts, replays from dead_letter where attempts = 2')).rows[0],
  );
  expect(row).toEqual({ state: 'open', attempts: 2, replays: 1 });
});

test('dead letters: a repair that does not help leaves the original as it was, for one that does', async () => {
  const { storeDead, run, client, databaseUrl, namespace } = await setUp();
  const record = aDeadRecord('a\0');
  await storeDead([record]);
  await startWorker(databaseUrl, namespace);
  const replay = ['replay', '--all', '--json', '--repair'];
  expect((await run(...replay, 'drop:strategyId')).json().replayed).toBe(1);
  await until(async () => (await client.query('select from dead_letter where attempts = 2')).rowCount === 1);
  const { rows } = await client.query('select payload, code, state, producer from dead_letter');
  expect(rows).toEqual([{ payload: JSON.stringify(record), code: 'schema', state: 'open', producer: 'p' }]);

  expect((await run(...replay, 'strip-nul')).json().replayed).toBe(1);
  await until(async () => (await client.query("select from dead_letter where state = 'stored'")).rowCount === 1);
  const stored = await client.query('select strategy_id, error_message from strategy_execution_log');
  expect(stored.rows).toEqual([{ strategy_id: record['strategyId'], error_message: 'a\uFFFD' }]);
  expect((await client.query('select from dead_letter')).rowCount).toBe(1);
});

test('dead letters: what was put back and lost with its queue is put back again on demand', async () => {
  const { storeDead, run, client, databaseUrl, namespace } = await setUp();
  await storeDead([aDeadRecord('a\0'), aDeadRecord('b\0')]);
  const replay = ['replay', '--all', '--repair', 'strip-nul', '--json'];
  expect((await run(...replay)).json()).toEqual({ replayed: 2, skipped: [] });
  await openQueue(namespace).drain();
  expect((await run(...replay)).json()).toEqual({ replayed: 0, skipped: [] });
  expect((await run(...replay, '--state', 'replayed', '--dry-run')).json()).toEqual({ wouldReplay: 2 });
  expect((await run(...replay, '--state', 'replayed')).json()).toEqual({ replayed: 2, skipped: [] });
  await startWorker(databaseUrl, namespace);
  await until(async () => (await client.query("select from dead_letter where state = 'stored'")).rowCount === 2);
  const { rows } = await client.query('select replays, attempts from dead_letter');
  expect(rows).toEqual([1, 2].map(() => ({ replays: 2, attempts: 1 })));
  expect((await run(...replay, '--state', 'replayed')).json()).toEqual({ replayed: 0, skipped: [] });
  expect((await run(...replay, '--state', 'stored')).exitCode).toBe(2);
});

test('dead letters: a limit and a rate are kept to, and what is discarded stays visible', async () => {
  const { storeDead, run, client, namespace } = await setUp();
  await storeDead(Array.from({ length: 5 }, (_, index) => aDeadRecord(`m${index}\0`)));
  expect((await run('replay', '--all', '--limit', '3', '--rate', '100', '--json')).json().replayed).toBe(3);
  expect(await openQueue(namespace).getWaitingCount()).toBe(3);
  expect((await run('discard', '--queue', 'execution-log', '--json')).json()).toEqual({ discarded: 2 });
  const { rows } = await client.query('select state, count(*)::int as n from dead_letter group by 1 order by 1');
  expect(rows).toEqual([
    { state: 'discarded', n: 2 },
    { state: 'replayed', n: 3 },
  ]);
});

test('dead letters: without saying which, nothing is done', async () => {
  const { run } = await setUp();
  for (const verb of ['replay', 'discard']) {
    const { exitCode, stderr } = await run(verb);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('--all');
  }
  expect((await run('replay', '--all', '--repair', 'magic')).exitCode).toBe(2);
});

test('dead letters: what cannot be mended is put back once by a replay, and is open again however fast it dies', async () => {
  const { storeDead, run, client, databaseUrl, namespace } = await setUp();
  // More than the hundred of one step: those of the first may be dead again before the last are put back.
  const deadLetters = 150;
  await storeDead(Array.from({ length: deadLetters }, (_, index) => aDeadRecord(`m${index}\0`)));
  await startWorker(databaseUrl, namespace);
  expect((await run('replay', '--all', '--json')).json()).toEqual({ replayed: deadLetters, skipped: [] });
  await until(async () => (await client.query('select from dead_letter where attempts = 2')).rowCount === deadLetters);
  const { rows } = await client.query('select state, replays, count(*)::int as n from dead_letter group by 1, 2');
  expect(rows).toEqual([{ state: 'open', replays: 1, n: deadLetters }]);
});
