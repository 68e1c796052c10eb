import { expect, test } from 'vitest';
import { createPartitionsTask } from '../../../workers/maintenance/partitions-task.ts';
import { connect } from '../../support/fixtures.ts';
import { maintenanceDeps } from '../../support/maintenance.ts';
import { insertExecution, partitionRows } from '../../support/rows.ts';

const table = 'strategy_execution_log';
const signal = new AbortController().signal;

async function setUp(environment: Record<string, string> = {}) {
  const { databaseUrl, deps, lines } = await maintenanceDeps(environment);
  return { databaseUrl, task: createPartitionsTask(deps), lines, client: await connect(databaseUrl) };
}

test('partitions task: makes yesterday to so many days ahead, and says how far that reaches', async () => {
  const { client, task, lines } = await setUp({ SLUICE_PARTITION_DAYS_AHEAD: '3' });
  const preview = (await task.preview()) as { wouldCreate: string[] };
  expect(preview).toMatchObject({ aheadDays: 0, defaultRows: 0 });
  expect(preview.wouldCreate).toHaveLength(5);

  const report = await task.run(signal);
  expect(report).toMatchObject({ outcome: 'done', created: preview.wouldCreate, blocked: [], defaultRows: 0 });
  expect(report.aheadDays).toBeGreaterThan(3);
  expect(report.aheadDays).toBeLessThanOrEqual(4);
  expect(Object.keys(await partitionRows(client))).toHaveLength(6);
  expect((await task.run(signal)).created).toEqual([]);
  expect(lines.filter(({ level }) => level >= 50)).toEqual([]);
});

test('partitions task: rows in the DEFAULT partition raise the alarm, and are counted so far only', async () => {
  const { client, task, lines } = await setUp();
  await insertExecution(client, '2020-01-01T00:00:00Z', 10_001);
  expect((await task.run(signal)).defaultRows).toBe(10_000);
  expect(lines.some(({ level, msg }) => level === 50 && msg.startsWith('the DEFAULT partition has rows'))).toBe(true);
  expect(await partitionRows(client)).toMatchObject({ [`${table}_default`]: 10_001 });
});

test('partitions task: days that a partition made by hand covers are not lacking', async () => {
  const { client, task } = await setUp();
  const from = new Date(Date.now() - 40 * 86_400_000).toISOString();
  const until = new Date(Date.now() + 40 * 86_400_000).toISOString();
  await client.query(`create table by_hand partition of ${table} for values from ('${from}') to ('${until}')`);
  const report = await task.run(signal);
  expect(report.created).toEqual([]);
  expect(report.aheadDays).toBeGreaterThan(39);
});

test('partitions task: two at once make each day once', async () => {
  const { client, task } = await setUp();
  const reports = await Promise.all([task.run(signal), task.run(signal), task.run(signal)]);
  expect(reports.flatMap(({ created }) => created)).toHaveLength(9);
  expect(Object.keys(await partitionRows(client))).toHaveLength(10);
});

test('partitions task: a day that was detached to be kept is made anew beside it, under a name that is free', async () => {
  const { client, task } = await setUp();
  await task.run(signal);
  const today = `${table}_${new Date().toISOString().slice(0, 10).replaceAll('-', '')}`;
  await insertExecution(client, new Date(), 2);
  await client.query(`alter table ${table} detach partition ${today}`);
  expect(await task.preview()).toMatchObject({ wouldCreate: [`${today}_2`], aheadDays: 0 });
  expect(await task.run(signal)).toMatchObject({ created: [`${today}_2`], defaultRows: 0 });
  await insertExecution(client, new Date(), 3);
  expect(await partitionRows(client)).toMatchObject({ [`${today}_2`]: 3, [`${table}_default`]: 0 });
  expect((await client.query(`select from ${today}`)).rowCount).toBe(2);
});

test.each(['week', 'month'] as const)(
  'partitions task: a %s in place of days fills what no day takes',
  async (unit) => {
    const { client, databaseUrl, task } = await setUp({ SLUICE_PARTITION_DAYS_AHEAD: '3' });
    const days = (await task.run(signal)).created;
    const changed = await maintenanceDeps(
      { SLUICE_PARTITION_BY: unit, SLUICE_PARTITION_DAYS_AHEAD: '40' },
      databaseUrl,
    );
    const report = await createPartitionsTask(changed.deps).run(signal);
    expect(report.created.length).toBeGreaterThan(1);
    expect(report.aheadDays).toBeGreaterThan(40);
    expect(Object.keys(await partitionRows(client))).toEqual(expect.arrayContaining([...days, ...report.created]));
    const last = report.created.at(-1) ?? '';
    expect(last).toMatch(unit === 'week' ? /_\d{4}w\d{2}$/ : /_\d{6}$/);
    expect((await createPartitionsTask(changed.deps).run(signal)).created).toEqual([]);
  },
);
