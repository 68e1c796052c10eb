import { Registry } from 'prom-client';
import { expect, onTestFinished, test } from 'vitest';
import { ensurePartitions, planPartitions, executionLogTable as table } from '../../shared/partitions.ts';
import { startPartitionKeeper } from '../../workers/partition-keeper.ts';
import { connect, until } from '../support/fixtures.ts';
import { maintenanceDeps } from '../support/maintenance.ts';
import { metricValue } from '../support/metric-value.ts';
import { insertExecution, partitionRows } from '../support/rows.ts';

const nowMs = Date.parse('2031-05-10T12:00:00Z');
const days = ['20310509', '20310510', '20310511', '20310512'];
const troubled = 'database is in trouble, partitions have to wait';

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
  const start = () => {
    const stopping = new AbortController();
    const keeper = startPartitionKeeper({ ...deps, registry, now: () => nowMs, signal: stopping.signal });
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
  expect(messages()).toContain('the table is in use: partitions of other days than today wait for the next look');
});

test('partition keeper: while somebody reads the table, a start does not wait for yesterday', async () => {
  const { daysThere, databaseUrl, start } = await setUp(['20310510', '20310511', '20310512']);
  await aReader(databaseUrl);
  await start().ready;
  expect(await daysThere()).toEqual(['20310510', '20310511', '20310512']);
});

test('partition keeper: a start waits for the partition of today, and makes it as soon as the reader is gone', async () => {
  const { databaseUrl, daysThere, messages, start } = await setUp(['20310511', '20310512']);
  const reader = await aReader(databaseUrl);
  const { ready } = start();
  let isReady = false;
  void ready.then(() => {
    isReady = true;
  });
  await until(() => messages().includes(troubled));
  expect(isReady).toBe(false);
  await reader.query('commit');
  await ready;
  expect(await daysThere()).toEqual(days);
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
