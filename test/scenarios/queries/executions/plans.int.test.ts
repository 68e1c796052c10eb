import { beforeAll, expect, test } from 'vitest';
import { scansOf, toFailuresStatement, toFiguresStatement } from '../../../../bench/reads/scans.ts';
import {
  toListOfStatement,
  toListStatement,
  toNewestStrategiesStatement,
} from '../../../../queries/executions/list-statement.ts';
import { toStrategiesStatement } from '../../../../queries/executions/strategies.ts';
import type { AtEnd } from '../../../support/fixtures.ts';
import { createDay } from '../../../support/rows.ts';
import { openLog } from '../../../support/run-rows.ts';

/** Two days of two strategies that run by turns, 20,000 rows; one run in two hundred fails. */
async function openTwoDays(atEnd: AtEnd) {
  const { client, database } = await openLog(atEnd);
  const days = [await createDay(client, 4), await createDay(client, 3)] as const;
  for (const { noon } of days) {
    await client.query(
      `insert into strategy_execution_log (id, recorded_at, strategy_id, strategy_version, strategy_type, status, error_code,
         case_name, points, duration_ms, nodes_executed, trace, sampled, sample_rate)
       select gen_random_uuid(), $1::timestamptz + n * interval '1 second', 's' || n % 2, 1, 'DSL_FULL',
         case when n % 200 < 2 then 'timeout' else 'ok' end, case when n % 200 < 2 then 'T' end, 'A', n % 7, n % 100 + 1, 5,
         jsonb_build_array(repeat(md5(n::text), 40)), n % 200 >= 2, case when n % 200 < 2 then 1 else 0.05 end
       from generate_series(1, 10000) n`,
      [noon],
    );
  }
  // A plain vacuum passes over a page that another session has pinned, and then the index has to look at its rows.
  await client.query('vacuum (freeze, analyze) strategy_execution_log');
  const [first, second] = days;
  const hours = (noon: Date, from: number, to: number) => ({
    since: new Date(noon.getTime() + from * 3_600_000),
    until: new Date(noon.getTime() + to * 3_600_000),
  });
  return { database, first, second, hours };
}

/** Once for all: nobody writes. */
let twoDays: Awaited<ReturnType<typeof openTwoDays>>;

beforeAll(async () => {
  const closers: (() => Promise<void>)[] = [];
  twoDays = await openTwoDays((close) => closers.push(close));
  return async () => {
    for (const close of closers.reverse()) await close();
  };
});

test('plans: figures read the index only, of the days of the window only', async () => {
  const { database, second, hours } = twoDays;
  const scans = await scansOf(database, toFiguresStatement({ strategyId: 's1', window: hours(second.noon, 0, 3) }));
  const scan = { type: 'Index Only Scan', table: second.name, rows: 5_000, removed: 0, heapFetches: 0 };
  expect(scans).toEqual([scan, scan]);
});

test('plans: a list of failures reads failures only, as many as fit on its page', async () => {
  const { database, second, hours } = twoDays;
  const scope = { strategyId: 's1', window: hours(second.noon, 0, 3) };
  const scans = await scansOf(database, toFailuresStatement(scope, 10));
  expect(new Set(scans.map(({ type, table, removed }) => [type, table, removed].join(' ')))).toEqual(
    new Set([`Index Scan ${second.name} 0`]),
  );
  expect(scans.reduce((sum, { rows }) => sum + rows, 0)).toBeLessThanOrEqual(12);
});

test('plans: failures of all strategies are found by the failures of each, whatever else has run', async () => {
  const { database, second, hours } = twoDays;
  const listed = { window: hours(second.noon, 0, 3), filter: { status: 'failed' as const }, after: null };
  const seen = await scansOf(database, toNewestStrategiesStatement(listed, 11));
  const failures = 50;
  expect(seen.every(({ type, removed }) => type === 'Index Only Scan' && removed === 0)).toBe(true);
  expect(seen.reduce((sum, { rows }) => sum + rows, 0)).toBeLessThanOrEqual(2 * failures);
  const ids = ['s0', 's1'];
  const scans = await scansOf(database, toListOfStatement(ids, listed, 11));
  expect(scans.every(({ type, removed }) => type === 'Index Scan' && removed === 0)).toBe(true);
  expect(scans.reduce((sum, { rows }) => sum + rows, 0)).toBeLessThanOrEqual(ids.length * 12);
});

test('plans: a later page begins where the one before ended', async () => {
  const { database, second, hours } = twoDays;
  const after = { recordedAt: new Date(second.noon.getTime() + 5_000_000), id: 'ffffffff-ffff-4fff-bfff-ffffffffffff' };
  const listed = { window: hours(second.noon, -24, 3), after };
  const scans = await scansOf(database, toListStatement('s1', listed, 11));
  const read = scans.reduce((sum, { rows, removed }) => sum + rows + removed, 0);
  expect(scans.every(({ type }) => type === 'Index Scan')).toBe(true);
  expect(read).toBeLessThanOrEqual(40);
});

test('plans: the list of strategies reads no day outside of its window', async () => {
  const { database, first, hours } = twoDays;
  const scans = await scansOf(database, toStrategiesStatement(hours(first.noon, 0, 3), 10));
  expect(new Set(scans.map(({ table }) => table))).toEqual(new Set([first.name]));
});
