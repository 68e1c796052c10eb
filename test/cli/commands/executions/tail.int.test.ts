import { expect, onTestFinished, test } from 'vitest';
import { type TailOptions, tailExecutions } from '../../../../cli/commands/executions/tail.ts';
import { loadConfig } from '../../../../shared/platform/config/config.ts';
import { createDatabase } from '../../../../shared/platform/postgres/database.ts';
import { connect, createTestDatabase, until } from '../../../support/fixtures.ts';
import { startMigratedPostgres } from '../../../support/migrated-postgres.ts';
import { insertRuns, type RunRow } from '../../../support/run-rows.ts';

const agoMs = (ms: number): Date => new Date(Date.now() - ms);

/** A tail that goes on until the test ends, and what it has told of. */
function startTail(databaseUrl: string, options: Partial<TailOptions> = {}) {
  const database = createDatabase(loadConfig({ DATABASE_URL: databaseUrl }).database, 'test');
  const stopping = new AbortController();
  const told: string[] = [];
  const troubles: ('away' | 'back')[] = [];
  const ended = tailExecutions(database, {
    filter: { failures: false },
    last: 0,
    lateMs: 60_000,
    everyMs: 10,
    signal: stopping.signal,
    async onRows(rows) {
      told.push(...rows.map(({ caseName }) => caseName ?? ''));
    },
    onTrouble: (error) => troubles.push(error === null ? 'back' : 'away'),
    ...options,
  });
  const stop = async (): Promise<void> => {
    stopping.abort();
    await ended;
    await database.$disconnect();
  };
  onTestFinished(stop);
  return { told, troubles, stop };
}

test('tail: a row that commits late, with an earlier time than what was told of, comes once', async () => {
  const url = await createTestDatabase();
  const client = await connect(url);
  const late = await connect(url);
  await insertRuns(client, [{ caseName: 'before', at: agoMs(1_000) }]);
  await late.query('begin');
  await insertRuns(late, [{ caseName: 'late', at: agoMs(500) }]);
  const { told } = startTail(url, { last: 1 });
  await until(() => told.includes('before'));

  await insertRuns(client, [{ caseName: 'early', at: new Date() }]);
  await until(() => told.includes('early'));
  await late.query('commit');
  await until(() => told.includes('late'));
  await insertRuns(client, [{ caseName: 'last', at: new Date() }]);
  await until(() => told.includes('last'));
  expect(told).toEqual(['before', 'early', 'late', 'last']);
});

test('tail: more rows at once than one answer holds all come, and each once; a clock ahead hides none', async () => {
  const url = await createTestDatabase();
  const client = await connect(url);
  const { told } = startTail(url);
  await until(async () => {
    await insertRuns(client, [{ caseName: 'ahead', at: new Date(Date.now() + 600_000) }]);
    return told.includes('ahead');
  });
  const rows = Array.from({ length: 2_500 }, (_, n): RunRow => ({ caseName: `r${n}`, at: agoMs(n % 7) }));
  await insertRuns(client, rows);
  await until(() => told.filter((name) => name.startsWith('r')).length >= rows.length);
  await insertRuns(client, [{ caseName: 'end', at: new Date() }]);
  await until(() => told.includes('end'));
  const read = told.filter((name) => name.startsWith('r'));
  expect(new Set(read).size).toBe(2_500);
  expect(read).toHaveLength(2_500);
});

test('tail: it begins with the last ones, and keeps to its strategy and to failures', async () => {
  const url = await createTestDatabase();
  const client = await connect(url);
  const failure = (caseName: string, ms: number, strategyId = 's1'): RunRow => ({
    caseName,
    strategyId,
    status: 'timeout',
    at: agoMs(ms),
  });
  await insertRuns(client, [
    // Far longer ago than a late one may come.
    failure('f0', 30 * 86_400_000),
    failure('f1', 4_000),
    failure('f2', 3_000),
    failure('f3', 2_000),
    failure('other', 1_000, 's2'),
    { caseName: 'ok', at: agoMs(500) },
  ]);
  const { told } = startTail(url, { last: 4, filter: { failures: true, strategyId: 's1' } });
  await until(() => told.length > 0);
  await insertRuns(client, [{ caseName: 'ok', at: new Date() }, failure('other', 0, 's2'), failure('f4', 0)]);
  await until(() => told.includes('f4'));
  expect(told).toEqual(['f0', 'f1', 'f2', 'f3', 'f4']);
});

test('tail: it outlives an outage of PostgreSQL, and tells of what was stored then', async () => {
  const postgres = await startMigratedPostgres();
  const { told, troubles, stop } = startTail(postgres.url, { last: 1 });
  const before = await connect(postgres.url);
  await until(async () => {
    await insertRuns(before, [{ caseName: 'before', at: new Date() }]);
    return told.includes('before');
  });
  await before.end();
  await postgres.kill();
  await until(() => troubles.includes('away'));
  await postgres.startAgain();
  const after = await connect(postgres.url);
  await insertRuns(after, [{ caseName: 'after', at: new Date() }]);
  await until(() => told.includes('after'));
  expect(troubles).toEqual(['away', 'back']);
  await after.end();
  await stop();
});
