import { Registry } from 'prom-client';
import { expect, onTestFinished, test } from 'vitest';
import {
  ensurePartitions,
  planPartitions,
  executionLogTable as table,
} from '../../../shared/platform/postgres/partitions/partitions.ts';
import { startPartitionKeeper } from '../../../workers/partitions/partition-keeper.ts';
import { connect, until } from '../../support/fixtures.ts';
import { maintenanceDeps } from '../../support/maintenance.ts';
import { metricValue } from '../../support/metric-value.ts';
import { fillDefault, insertExecution, partitionRows } from '../../support/rows.ts';

const nowAt = '2031-05-10T12:00:00Z';
const nowMs = Date.parse(nowAt);
const days = ['20310509', '20310510', '20310511', '20310512'];
const troubled = 'database is in trouble; partitions wait';

/** A table that has the partitions of these days, and a keeper over it that starts when it is told to. */
async function setUp(existing: string[]) {
  const { databaseUrl, deps, messages } = await maintenanceDeps({
    SLUICE_PARTITION_DAYS_AHEAD: '2',
    SLUICE_RETRY_BASE_MS: '1',
    SLUICE_RETRY_MAX_MS: '10',
  });
  const plan = planPartitions(table, nowMs, 2).filter(({ name }) => existing.some((day) => name.endsWith(day)));
  await ensurePartitions(deps.database, table, plan);
  const client = await connect(databaseUrl);
  const registry = new Registry();
  const start = (limits: { patienceMs?: number; soonMs?: number; scanMs?: number } = {}) => {
    const stopping = new AbortController();
    const keeper = startPartitionKeeper({ ...deps, registry, now: () => nowMs, signal: stopping.signal, ...limits });
    keeper.ready.catch(() => undefined);
    onTestFinished(async () => {
      stopping.abort();
      await keeper.stop();
    });
    return keeper;
  };
  return {
    client,
    databaseUrl,
    messages,
    start,
    daysThere: async () =>
      Object.keys(await partitionRows(client)).flatMap((name) => days.filter((day) => name.endsWith(day))),
    blocked: () => metricValue(registry, 'sluice_partitions_blocked'),
  };
}

/** A transaction that has read the table and stays open. */
async function aReader(databaseUrl: string) {
  const reader = await connect(databaseUrl);
  await reader.query('begin');
  await reader.query(`select from ${table} limit 1`);
  return reader;
}

test('partition keeper: while somebody reads the table, a start does not wait for the days to come', async () => {
  const { databaseUrl, daysThere, messages, start } = await setUp(['20310509', '20310510', '20310511']);
  await aReader(databaseUrl);
  await start().ready;
  expect(await daysThere()).toEqual(['20310509', '20310510', '20310511']);
  expect(messages()).not.toContain(troubled);
  expect(messages()).toContain('partitions could not be created now; trying again at the next check');
});

test('partition keeper: while somebody reads the table, a start does not wait for yesterday', async () => {
  const { daysThere, databaseUrl, start } = await setUp(['20310510', '20310511', '20310512']);
  await aReader(databaseUrl);
  await start().ready;
  expect(await daysThere()).toEqual(['20310510', '20310511', '20310512']);
});

test('partition keeper: a start waits for the partition of today for a while only, and the partition is made when the reader is gone', async () => {
  const { databaseUrl, daysThere, messages, start } = await setUp(['20310511', '20310512']);
  const reader = await aReader(databaseUrl);
  const { ready } = start({ patienceMs: 1, soonMs: 50 });
  await ready;
  expect(await daysThere()).toEqual(['20310511', '20310512']);
  expect(messages()).toContain('today’s records go to the DEFAULT partition for now');
  await reader.query('commit');
  await until(async () => (await daysThere()).length === days.length);
});

test('partition keeper: where records have no other place, a start waits for the partition of today, and says so', async () => {
  const { client, databaseUrl, daysThere, start } = await setUp(['20310511', '20310512']);
  await client.query(`drop table ${table}_default`);
  // A reader is not in the way where there is no DEFAULT partition. A change to the table is.
  const changer = await connect(databaseUrl);
  await changer.query('begin');
  await changer.query(`lock table ${table} in share update exclusive mode`);
  const { ready, whyWaiting } = start({ patienceMs: 1 });
  let isReady = false;
  void ready.then(() => {
    isReady = true;
  });
  await until(whyWaiting);
  expect(whyWaiting()).toBe(`today's partition ${table}_20310510: in use`);
  // More than one try.
  await until(async () => {
    const tries = `select xact_rollback::int as n from pg_stat_database where datname = current_database()`;
    return (await client.query<{ n: number }>(tries)).rows.some(({ n }) => n > 2);
  });
  expect(isReady).toBe(false);
  await changer.query('commit');
  await ready;
  expect(await daysThere()).toEqual(days);
  expect(whyWaiting()).toBeNull();
});

test('partition keeper: a lock that somebody holds for ever on making partitions does not hold a start up', async () => {
  const { databaseUrl, start } = await setUp([]);
  const holder = await connect(databaseUrl);
  await holder.query('select pg_advisory_lock(7270412)');
  await start({ patienceMs: 1 }).ready;
});

test('partition keeper: days to come are made although the DEFAULT partition cannot be looked through in time', async () => {
  const { client, daysThere, messages, start } = await setUp(['20310509', '20310510']);
  await fillDefault(client, 20_000);
  await insertExecution(client, '2031-05-11T01:00:00Z');
  // No partition is made in one millisecond.
  await start({ scanMs: 1 }).ready;
  await until(async () => (await daysThere()).includes('20310512'));
  expect(await daysThere()).toEqual(['20310509', '20310510', '20310512']);
  await until(() =>
    messages().includes('the DEFAULT partition has rows of these days; maintenance moves them to their own partitions'),
  );
  await until(async () => (await passingConstraints(client)) === 0);
});

test('partition keeper: today waits for no reading of the DEFAULT partition', async () => {
  const { client, daysThere, messages, start } = await setUp([]);
  await fillDefault(client, 20_000);
  await start({ scanMs: 1 }).ready;
  expect(messages()).toContain('today’s records go to the DEFAULT partition for now');
  await until(async () => (await daysThere()).length === 2);
  expect(await daysThere()).toEqual(['20310511', '20310512']);
  await insertExecution(client, nowAt);
  expect(await partitionRows(client)).toMatchObject({ [`${table}_default`]: 20_001 });
});

test('partition keeper: what a process left behind when it was killed is taken away by the next look', async () => {
  const { client, start } = await setUp(days);
  await client.query(
    `alter table ${table}_default add constraint sluice_passing_days_to_come check (recorded_at < '2031-05-13Z') not valid`,
  );
  await start().ready;
  await until(async () => (await passingConstraints(client)) === 0);
  await insertExecution(client, '2031-05-14Z');
});

async function passingConstraints(client: Awaited<ReturnType<typeof connect>>): Promise<number | null> {
  return (await client.query(`select from pg_constraint where conname like 'sluice_passing%'`)).rowCount;
}

test('partition keeper: inserts go on while a partition has to wait for a reader', async () => {
  const { client, databaseUrl, daysThere, start } = await setUp(['20310509', '20310510', '20310511']);
  await aReader(databaseUrl);
  const { ready } = start({ soonMs: 1 });
  // In line for the lock, where it stands in front of whoever comes later.
  await until(
    async () =>
      (
        await client.query(
          "select from pg_locks join pg_stat_activity using (pid) where datname = current_database() and mode = 'AccessExclusiveLock' and not granted",
        )
      ).rowCount,
  );
  await client.query(`set lock_timeout = '20ms'`);
  for (let row = 0; row < 200; row += 1) await insertExecution(client, nowAt);
  await ready;
  // The keeper goes on trying, and its lock may be held for longer.
  await client.query('reset lock_timeout');
  expect(await daysThere()).not.toContain('20310512');
});

test('partition keeper: a start makes all days that are missing when nobody is in the way', async () => {
  const { daysThere, start } = await setUp([]);
  await start().ready;
  expect(await daysThere()).toEqual(days);
});

test('partition keeper: today and a day to come that have rows in the DEFAULT partition are counted, and hold no start up', async () => {
  const { blocked, client, daysThere, start } = await setUp([]);
  await insertExecution(client, '2031-05-10T01:00:00Z');
  await insertExecution(client, '2031-05-12T01:00:00Z');
  await start().ready;
  expect(await daysThere()).toEqual(['20310509', '20310511']);
  expect(await blocked()).toBe(2);
});
