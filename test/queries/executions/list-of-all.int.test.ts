import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type ExecutionFilter,
  toListOfTraceStatement,
  toNewestStrategiesStatement,
} from '../../../queries/executions/list-statement.ts';
import { inSchema } from '../../../shared/platform/postgres/schema.ts';
import { ourSchema } from '../../support/fixtures.ts';
import { aroundNoon, atSecond, insertRuns, openLog, pagesOf, type RunRow } from '../../support/run-rows.ts';

const traceId = 'f'.repeat(32);

test('executions of all strategies: pages together have each once, in the order of time and then of id', async () => {
  const { database, client } = await openLog();
  const anyRow = fc.record({
    // Few instants and few strategies, so that pages end between rows of the same time.
    second: fc.integer({ min: 0, max: 3 }),
    strategyId: fc.constantFrom('a', 'b', 'c', 'd'),
    status: fc.constantFrom('ok', 'error', 'timeout'),
  });
  const scenario = fc.record({
    rows: fc.array(anyRow, { maxLength: 20 }),
    limit: fc.integer({ min: 1, max: 6 }),
    status: fc.constantFrom(undefined, 'failed' as const),
  });
  await fc.assert(
    fc.asyncProperty(scenario, async ({ rows, limit, status }) => {
      await client.query('truncate strategy_execution_log');
      const ids = await insertRuns(
        client,
        rows.map(({ second, ...row }): RunRow => ({ ...row, at: atSecond(second) })),
      );
      const expected = rows
        .map((row, index) => ({ ...row, id: ids[index] ?? '' }))
        .filter((row) => status === undefined || row.status !== 'ok')
        .sort((a, b) => b.second - a.second || (a.id < b.id ? 1 : -1))
        .map(({ id }) => id);
      const read: string[] = [];
      const filter = status === undefined ? {} : { status };
      const all = { strategyId: null, window: aroundNoon, filter, limit };
      for await (const page of pagesOf(database, all)) read.push(...page);
      expect(read).toEqual(expected);
    }),
    { numRuns: 25 },
  );
});

test('executions of all strategies: what failed last is found among those of 3,000 strategies, page by page', async () => {
  const { database, client } = await openLog();
  // Many strategies have one failure, some have many, and many of them are at the same instant.
  const rows = Array.from(
    { length: 4_000 },
    (_, n): RunRow => ({
      at: atSecond(n % 50),
      strategyId: `s${n % 3_000}`,
      status: n % 7 === 0 ? 'ok' : 'error',
    }),
  );
  const ids = await insertRuns(client, rows);
  const expected = (isListed: (row: RunRow) => boolean): string[] =>
    rows
      .map((row, n) => ({ row, id: ids[n] ?? '' }))
      .filter(({ row }) => isListed(row))
      .sort((a, b) => Date.parse(String(b.row.at)) - Date.parse(String(a.row.at)) || (a.id < b.id ? 1 : -1))
      .map(({ id }) => id);
  const read = async (filter: ExecutionFilter, pages: number): Promise<string[]> => {
    const found: string[] = [];
    for await (const page of pagesOf(database, { strategyId: null, window: aroundNoon, filter, limit: 40 })) {
      found.push(...page);
      if (found.length >= pages * 40) break;
    }
    return found;
  };
  expect(await read({ status: 'failed' }, 5)).toEqual(expected(({ status }) => status !== 'ok').slice(0, 200));
  expect(await read({}, 5)).toEqual(expected(() => true).slice(0, 200));
  expect(await read({ status: 'ok' }, 100)).toEqual(expected(({ status }) => status === 'ok'));
});

test('executions of a realm: are those of all its strategies, newest first', async () => {
  const { database, client } = await openLog();
  const rows = Array.from({ length: 60 }, (_, n): RunRow => ({ at: atSecond(n), strategyId: `s${n % 40}` }));
  const ids = await insertRuns(client, rows);
  await client.query(`update strategy_execution_log set realm_id = 'acme' where strategy_id like 's1%'`);
  const read: string[] = [];
  const question = { strategyId: null, window: aroundNoon, filter: { realmId: 'acme' }, limit: 4 };
  for await (const page of pagesOf(database, question)) read.push(...page);
  expect(read).toEqual(ids.filter((_, n) => /^s1/.test(`s${n % 40}`)).toReversed());
});

test('executions of all strategies: more strategies than a walk may take are told of, not left out', async () => {
  const { database, client } = await openLog();
  await insertRuns(
    client,
    Array.from({ length: 12 }, (_, n): RunRow => ({ strategyId: `s${n}`, status: n < 9 ? 'error' : 'ok' })),
  );
  const listed = { window: aroundNoon, filter: { status: 'failed' }, after: null } as const;
  const walked = async (most: number) => {
    const newest = await database.$queryRaw<{ strategies: number }[]>(toNewestStrategiesStatement(listed, 5, most));
    // All failed at the same instant, so any of them may be on the page.
    return [newest.length, newest[0]?.strategies];
  };
  expect(await walked(9)).toEqual([9, 9]);
  expect(await walked(8)).toEqual([9, 9]);
  expect(await walked(4)).toEqual([5, 5]);
});

test('executions of a trace: pages together have each once, of whichever strategy, and of one where it is named', async () => {
  const { database, client } = await openLog();
  const [traceId, other] = ['a'.repeat(32), 'b'.repeat(32)];
  const rows: RunRow[] = Array.from({ length: 30 }, (_, n) => ({
    at: atSecond(n),
    strategyId: `s${n % 3}`,
    status: n % 5 === 0 ? 'error' : 'ok',
    ...(n % 2 === 0 ? { traceId } : n % 3 === 0 ? { traceId: other } : {}),
  }));
  const ids = await insertRuns(client, rows);
  const read = async (strategyId: string | null, filter: ExecutionFilter): Promise<string[]> => {
    const pages: string[] = [];
    for await (const page of pagesOf(database, { strategyId, window: aroundNoon, filter, limit: 4 }))
      pages.push(...page);
    return pages;
  };
  const expected = (isListed: (row: RunRow) => boolean): string[] =>
    ids.filter((_, n) => isListed(rows[n] ?? {})).toReversed();
  expect(await read(null, { traceId })).toEqual(expected((row) => row.traceId === traceId));
  expect(await read('s1', { traceId })).toEqual(expected((row) => row.traceId === traceId && row.strategyId === 's1'));
  expect(await read(null, { traceId, status: 'failed' })).toEqual(
    expected((row) => row.traceId === traceId && row.status === 'error'),
  );
  expect(await read(null, { traceId: 'c'.repeat(32) })).toEqual([]);
});

test('executions of a trace: are found by its index in a table that was never analyzed', async () => {
  const { client } = await openLog();
  await client.query('alter table strategy_execution_log_default set (autovacuum_enabled = false)');
  await client.query(
    `create index on strategy_execution_log_default (trace_id, recorded_at) where trace_id is not null`,
  );
  const rows = Array.from(
    { length: 5_000 },
    (_, n): RunRow => ({ at: atSecond(n / 10), ...(n === 7 ? { traceId } : {}) }),
  );
  await insertRuns(client, rows);
  const { text, values } = toListOfTraceStatement('s1', { window: aroundNoon, filter: { traceId }, after: null }, 51);
  const plan = await client.query(`explain ${inSchema(text, ourSchema())}`, values);
  expect(JSON.stringify(plan.rows)).toMatch(/Scan (?:using|on) strategy_execution_log_default_trace_id/);
});
