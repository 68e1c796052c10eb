import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { uuidV7 } from '../../../producers/core/uuid-v7.ts';
import { type ExecutionPage, listExecutions } from '../../../queries/executions/list.ts';
import { findExecution } from '../../../queries/executions/one.ts';
import { readUpstreamMetrics } from '../../../queries/executions/upstream-metrics.ts';
import { loadConfig } from '../../../shared/platform/config/config.ts';
import { createDatabase } from '../../../shared/platform/postgres/database.ts';
import { connect } from '../../support/fixtures.ts';
import { startMigratedPostgres } from '../../support/migrated-postgres.ts';
import { createDay, insertRun } from '../../support/rows.ts';
import { openLog } from '../../support/run-rows.ts';

const days = 300;
/** As many as PostgreSQL is asked at once. */
const poolSize = 20;
const dayMs = 86_400_000;

test('executions: with more partitions than the lock table has room for, any number at once is found by id, and lists are read', async () => {
  const postgres = await startMigratedPostgres();
  const before = await connect(postgres.url);
  await before.query('alter system set max_locks_per_transaction = 10');
  await before.query('alter system set max_connections = 40');
  await before.end();
  await postgres.kill();
  await postgres.startAgain();
  const client = await connect(postgres.url);
  const noons: number[] = [];
  for (let ago = 1; ago <= days; ago += 1) noons.push((await createDay(client, ago)).noon.getTime());
  const readers = await Promise.all(Array.from({ length: 20 }, () => connect(postgres.url)));
  const inAll = await Promise.allSettled(
    readers.map((reader) => reader.query(`begin; select from strategy_execution_log where id = gen_random_uuid()`)),
  );
  expect(inAll.filter((one) => one.status === 'rejected').map(({ reason }) => reason.code)).toContain('53200');
  await Promise.all(readers.map((reader) => reader.query('rollback')));

  const asTheSdk = noons.map((ms) => ({ id: uuidV7(ms), at: ms }));
  const ofTheCaller = [
    { id: randomUUID(), at: noons[0] ?? 0 },
    { id: randomUUID(), at: noons[days - 1] ?? 0 },
    { id: randomUUID(), at: Date.UTC(1970, 0, 21) },
    { id: uuidV7(noons[5] ?? 0), at: noons[200] ?? 0 },
  ];
  for (const { id, at } of [...asTheSdk, ...ofTheCaller]) await insertRun(client, id, new Date(at));
  const config = loadConfig({ DATABASE_URL: postgres.url, SLUICE_DATABASE_POOL_SIZE: `${poolSize}` });
  const database = createDatabase(config.database, 'test');
  onTestFinished(() => database.$disconnect());
  for (let from = 0; from < asTheSdk.length; from += poolSize) {
    const some = asTheSdk.slice(from, from + poolSize);
    const found = await Promise.all(some.map(({ id }) => findExecution(database, id)));
    expect(found.map((row) => row?.recordedAt.getTime())).toEqual(some.map(({ at }) => at));
  }
  for (const { id, at } of ofTheCaller) expect((await findExecution(database, id))?.recordedAt.getTime()).toBe(at);
  expect(await findExecution(database, uuidV7(Date.now()))).toBeNull();

  const window = { since: null, until: new Date() };
  const none = { strategyId: 's', window, filter: { errorCode: 'none' } };
  const pages = await Promise.all(readers.map(() => listExecutions(database, none)));
  expect(pages.map(({ executions }) => executions)).toEqual(readers.map(() => []));
  const newestFirst = [...asTheSdk, ...ofTheCaller].map(({ at }) => at).toSorted((a, b) => b - a);
  for (const strategyId of ['s', null]) {
    const listed: number[] = [];
    let cursor: string | null = null;
    do {
      const page: ExecutionPage = await listExecutions(database, { strategyId, window, limit: 150, cursor });
      listed.push(...page.executions.map(({ recordedAt }) => recordedAt.getTime()));
      cursor = page.cursor;
    } while (cursor !== null);
    expect(listed).toEqual(newestFirst);
  }
  const metrics = { strategyId: 's', window: { since: new Date(Date.now() - 2 * dayMs), until: new Date() } };
  expect(await Promise.all(readers.map(() => readUpstreamMetrics(database, metrics)))).toHaveLength(readers.length);
}, 120_000);

test('one execution: of an id with two times it is the newer one, wherever the rows are', async () => {
  const { client, database } = await openLog();
  const id = randomUUID();
  const { noon } = await createDay(client, 3);
  for (const at of [new Date('2001-01-01Z'), noon, new Date(noon.getTime() - 40 * dayMs)])
    await insertRun(client, id, at);
  expect((await findExecution(database, id))?.recordedAt).toEqual(noon);
  await insertRun(client, id, new Date('2099-01-01Z'));
  expect((await findExecution(database, id))?.recordedAt).toEqual(new Date('2099-01-01Z'));
});
