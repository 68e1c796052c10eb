import { expect, test } from 'vitest';
import { createRetentionTask } from '../../../workers/maintenance/retention-task.ts';
import { connect, until } from '../../support/fixtures.ts';
import { maintenanceDeps } from '../../support/maintenance.ts';
import { createDay, insertExecution, partitionRows } from '../../support/rows.ts';

const table = 'strategy_execution_log';
const signal = new AbortController().signal;

async function setUp(environment: Record<string, string> = { SLUICE_RETENTION_DAYS: '90' }) {
  const { databaseUrl, deps, ...told } = await maintenanceDeps(environment);
  return { databaseUrl, deps, task: createRetentionTask(deps), client: await connect(databaseUrl), ...told };
}

test('retention: days that are older go with their rows, all else stays as it is', async () => {
  const { client, task, dropped } = await setUp();
  const gone = [await createDay(client, 120), await createDay(client, 92)];
  const kept = [await createDay(client, 89), await createDay(client, 0), await createDay(client, 1)];
  for (const { noon } of [...gone, ...kept]) await insertExecution(client, noon, 3);
  await insertExecution(client, '2020-01-01T00:00:00Z', 2);

  expect(await task.preview()).toEqual({ wouldDrop: gone.map(({ name }) => name), wouldRefuse: false });
  expect(Object.keys(await partitionRows(client))).toHaveLength(6);
  const report = await task.run(signal);
  expect(report).toEqual({ outcome: 'done', dropped, postponed: [], failed: [], overdue: 0 });
  expect(dropped).toEqual(gone.map(({ name }) => name));
  expect(await partitionRows(client)).toEqual({
    ...Object.fromEntries(kept.map(({ name }) => [name, 3])),
    [`${table}_default`]: 2,
  });
  expect((await task.run(signal)).dropped).toEqual([]);
});

test('retention: partitions made by hand go by their bounds, and what has no bounds, is elsewhere or no part of it, stays', async () => {
  const { client, task } = await setUp();
  await client.query(`
    create table old_month partition of ${table} for values from ('2024-02-01Z') to ('2024-03-01Z');
    create table "Odd "" name" partition of ${table} for values from ('2024-04-01Z') to ('2024-05-01Z');
    create table parted partition of ${table} for values from ('2024-05-01Z') to ('2024-06-01Z') partition by range (recorded_at);
    create table parted_1 partition of parted for values from ('2024-05-01Z') to ('2024-05-02Z');
    create table before_all partition of ${table} for values from (minvalue) to ('2019-01-01Z');
    create table after_all partition of ${table} for values from ('2099-01-01Z') to (maxvalue);
    create table long_one partition of ${table} for values from ('2024-07-01Z') to ('2098-01-01Z');
    create table ${table}_20200101 (like ${table});
    create schema archive;
    create table archive.elsewhere partition of ${table} for values from ('2024-06-01Z') to ('2024-07-01Z');`);
  expect((await task.run(signal)).dropped).toEqual(['old_month', 'Odd " name', 'parted']);
  const left = await client.query(
    "select relname from pg_class where relkind in ('r', 'p') and relnamespace in ('public'::regnamespace, 'archive'::regnamespace) order by 1",
  );
  expect(left.rows.map(({ relname }) => relname)).toEqual(
    expect.arrayContaining([
      'before_all',
      'after_all',
      'long_one',
      `${table}_20200101`,
      'elsewhere',
      `${table}_default`,
    ]),
  );
  expect(left.rows.map(({ relname }) => relname)).not.toContain('parted_1');
});

test('retention: a session that prints times in its own way changes nothing about the bounds', async () => {
  const { databaseUrl, client, task } = await setUp();
  const name = new URL(databaseUrl).pathname.slice(1);
  await client.query(
    `alter database "${name}" set timezone = 'Asia/Kolkata'; alter database "${name}" set datestyle = 'SQL, DMY'`,
  );
  const { name: gone } = await createDay(client, 92);
  await createDay(client, 88);
  expect((await task.run(signal)).dropped).toEqual([gone]);
});

test('retention: rows that came late, and go sooner after they were stored than they are to be kept, raise the alarm', async () => {
  const { client, task, early, lines } = await setUp();
  const [late, old] = [await createDay(client, 92), await createDay(client, 93)];
  await insertExecution(client, old.noon, 5);
  await client.query(`update ${table} set stored_at = recorded_at`);
  await insertExecution(client, late.noon, 3);
  expect(await task.run(signal)).toMatchObject({ outcome: 'done', dropped: [old.name, late.name] });
  expect(early).toEqual([[table, 3]]);
  expect(lines).toContainEqual(expect.objectContaining({ level: 50, table, rows: 3, keepDays: 90 }));
});

test('retention: 0 days keep everything', async () => {
  const { client, task } = await setUp({ SLUICE_RETENTION_DAYS: '0' });
  await createDay(client, 3_000);
  expect(await task.run(signal)).toMatchObject({ outcome: 'done', dropped: [], overdue: 0 });
});

test('retention: what is being read stays, inserts go on beside it, and the next run drops it', async () => {
  const { databaseUrl, client, task, messages } = await setUp();
  const { name } = await createDay(client, 100);
  const { name: today, noon } = await createDay(client, 0);
  const reader = await connect(databaseUrl);
  await reader.query('begin');
  await reader.query(`select count(*) from ${table}`);

  const run = task.run(signal);
  // The run has its place in the queue for the lock: what is inserted now stands behind it.
  await until(
    async () =>
      (
        await client.query(
          "select from pg_locks join pg_stat_activity using (pid) where datname = current_database() and mode = 'AccessExclusiveLock' and not granted",
        )
      ).rowCount,
  );
  await insertExecution(client, noon);
  expect(await run).toMatchObject({ outcome: 'postponed', dropped: [], postponed: [name], overdue: 1 });
  expect(messages()).toContain('partition is in use; it will be dropped later');
  expect(await partitionRows(client)).toMatchObject({ [name]: 0, [today]: 1 });

  await reader.query('commit');
  expect(await task.run(signal)).toMatchObject({ outcome: 'done', dropped: [name], overdue: 0 });
});

test('retention: a partition that a view needs fails by itself, and the others go', async () => {
  const { client, task } = await setUp();
  const { name: needed } = await createDay(client, 110);
  const { name: other } = await createDay(client, 100);
  await client.query(`create view report as select * from ${needed}`);
  const report = await task.run(signal);
  expect(report).toMatchObject({ outcome: 'failed', dropped: [other], overdue: 1 });
  expect(report.failed).toEqual([{ name: needed, reason: expect.stringMatching(/^2BP01: .*depend/) }]);
});

test('retention: with clocks more than a day apart nothing goes', async () => {
  for (const skewMs of [-86_460_000, 86_460_000]) {
    const { client, deps, lines } = await setUp();
    const { name } = await createDay(client, 100);
    const task = createRetentionTask({ ...deps, now: () => Date.now() + skewMs });
    expect(await task.preview()).toEqual({ wouldDrop: [name], wouldRefuse: true });
    expect(await task.run(signal)).toMatchObject({ outcome: 'refused', dropped: [], overdue: 1 });
    expect(lines.some(({ level, msg }) => level === 50 && msg.includes('clocks'))).toBe(true);
    expect(await partitionRows(client)).toHaveProperty(name);
  }
});

test('retention: two at once drop each partition once, and none complains', async () => {
  const { client, task, deps, dropped } = await setUp();
  const days = [];
  for (let age = 100; age < 112; age += 1) days.push((await createDay(client, age)).name);
  const reports = await Promise.all([task.run(signal), createRetentionTask(deps).run(signal)]);
  expect(reports.map(({ outcome, overdue, failed }) => [outcome, overdue, failed])).toEqual([
    ['done', 0, []],
    ['done', 0, []],
  ]);
  expect(dropped.toSorted()).toEqual(days.toSorted());
});

test('retention: asked to stop, it ends between two partitions', async () => {
  const { client, deps } = await setUp();
  for (const age of [100, 101, 102]) await createDay(client, age);
  const stop = new AbortController();
  const task = createRetentionTask({ ...deps, onDropped: () => stop.abort() });
  expect(await task.run(stop.signal)).toMatchObject({ outcome: 'interrupted', overdue: 2 });
  expect((await task.run(signal)).dropped).toHaveLength(2);
});

test('retention: partitions that somebody keeps locked do not take the turn of the others', async () => {
  const { databaseUrl, client, task } = await setUp();
  const kept: string[] = [];
  for (const age of [120, 119, 118, 117]) kept.push((await createDay(client, age)).name);
  const free = [(await createDay(client, 101)).name, (await createDay(client, 100)).name];
  const reader = await connect(databaseUrl);
  await reader.query(`begin; ${kept.map((name) => `select from ${name}`).join('; ')}`);
  expect(await task.run(signal)).toEqual({
    outcome: 'postponed',
    dropped: free,
    postponed: kept.slice(0, 3),
    failed: [],
    overdue: 4,
  });
  await reader.query('commit');
  expect((await task.run(signal)).dropped).toEqual(kept);
});
