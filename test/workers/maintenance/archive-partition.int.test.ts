import { readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ParquetFile } from 'parquet-wasm/node';
import { expect, test } from 'vitest';
import { archiveTable, dropArchived } from '../../../archive/archive-table.ts';
import { toComment } from '../../../archive/awaiting-drop.ts';
import { readColumns } from '../../../archive/columns.ts';
import { listArchives } from '../../../archive/manifest.ts';
import { restoreArchive } from '../../../archive/restore-archive.ts';
import { sumTable } from '../../../archive/row-sum.ts';
import { findDamage } from '../../../archive/verify-archive.ts';
import { createRetentionTask } from '../../../workers/maintenance/retention-task.ts';
import { insertVariedExecutions } from '../../support/archive.ts';

import { connect, createDirectory, until, untilBlocked } from '../../support/fixtures.ts';

import { maintenanceDeps } from '../../support/maintenance.ts';
import { createDay, insertExecution, partitionRows } from '../../support/rows.ts';

const table = 'strategy_execution_log';
const { signal } = new AbortController();

async function setUp(given?: string) {
  const dir = given ?? (await createDirectory());
  const { databaseUrl, deps, ...told } = await maintenanceDeps({
    SLUICE_RETENTION_DAYS: '90',
    SLUICE_ARCHIVE_DIR: dir,
  });
  const client = await connect(databaseUrl);
  return { dir, databaseUrl, deps, client, task: createRetentionTask(deps), ...told };
}

type SetUp = Awaited<ReturnType<typeof setUp>>;

/** The sum of a partition's rows, as PostgreSQL reckons it. */
async function sumOf({ deps: { database } }: SetUp, name: string) {
  return sumTable(database, { schema: 'public', name }, await readColumns(database, name), signal);
}

/** A day as it is to be archived. */
function expiredDay({ name, noon }: { name: string; noon: Date }) {
  const [from, until] = [-43_200_000, 43_200_000].map((ms) => new Date(noon.getTime() + ms).toISOString());
  return { table, from: from ?? '', until: until ?? '', place: { schema: 'public', name } };
}

/** What a process leaves that dies between the two steps of a run. */
async function detachExpired({ client }: SetUp, day: { name: string; noon: Date }): Promise<void> {
  await client.query(`begin; alter table ${table} detach partition ${day.name};
    comment on table ${day.name} is '${toComment(expiredDay(day))}'; commit`);
}

async function archivesIn(dir: string) {
  const { manifests, unreadable } = await listArchives(dir);
  expect(unreadable).toEqual([]);
  for (const manifest of manifests) expect(await findDamage(dir, manifest)).toBeNull();
  return manifests;
}

async function tablesOf({ client }: SetUp): Promise<string[]> {
  const { rows } = await client.query(
    `select relname from pg_class where relname like '${table}_2%' and relkind = 'r' order by 1`,
  );
  return rows.map(({ relname }) => relname);
}

test('archive: an expired day goes only when all of its rows are in a file, digit by digit, and later days stay', async () => {
  const set = await setUp();
  const [day, empty, kept] = [
    await createDay(set.client, 100),
    await createDay(set.client, 99),
    await createDay(set.client, 3),
  ];
  await insertVariedExecutions(set.client, day.noon, 2_500);
  await insertExecution(set.client, kept.noon, 2);
  const sum = await sumOf(set, day.name);

  expect(await set.task.run(signal)).toEqual({
    outcome: 'done',
    dropped: [day.name, empty.name],
    postponed: [],
    failed: [],
    overdue: 0,
  });
  expect(set.archived).toEqual(['archived', 'archived']);
  expect(await tablesOf(set)).toEqual([kept.name]);
  const [archive, second] = await archivesIn(set.dir);
  expect(archive).toMatchObject({ ...sum, rows: 2_500, table, partition: day.name });
  expect(second).toMatchObject({ rows: 0, partition: empty.name });
  expect((await readdir(set.dir)).filter((name) => name.startsWith('.'))).toEqual([]);
});

test('archive: the file can be read by another library, with its types', async () => {
  const set = await setUp();
  const day = await createDay(set.client, 100);
  await insertVariedExecutions(set.client, day.noon, 300);
  await set.task.run(signal);
  const [archive] = await archivesIn(set.dir);
  const file = ParquetFile.fromFile(new Blob([await readFile(join(set.dir, archive?.file ?? ''))]));
  const metadata = (await file).metadata();
  expect(metadata.fileMetadata().numRows()).toBe(300);
  expect((await (await file).read()).numBatches).toBeGreaterThan(0);
});

test('archive: a partition with partitions of its own, and bounds that are no day, is archived whole', async () => {
  const set = await setUp();
  await set.client.query(`
    create table parted partition of ${table} for values from ('2024-05-01Z') to ('2024-06-01Z') partition by range (recorded_at);
    create table parted_1 partition of parted for values from ('2024-05-01Z') to ('2024-05-02Z');
    create table parted_2 partition of parted for values from ('2024-05-02Z') to ('2024-05-03Z');`);
  await insertVariedExecutions(set.client, new Date('2024-05-01T12:00:00Z'), 50);
  await insertVariedExecutions(set.client, new Date('2024-05-02T12:00:00Z'), 60);
  expect((await set.task.run(signal)).dropped).toEqual(['parted']);
  const [archive] = await archivesIn(set.dir);
  expect(archive).toMatchObject({ rows: 110, from: '2024-05-01T00:00:00.000Z', until: '2024-06-01T00:00:00.000Z' });
  expect(archive?.file).toMatch(`${table}_20240501T000000Z_20240601T000000Z_`);
});

test('archive: rows far larger than a page, and columns that somebody has added, are in it', async () => {
  const set = await setUp();
  const day = await createDay(set.client, 100);
  await set.client.query(`alter table ${table} add column own text, add column dropped int`);
  await set.client.query(`alter table ${table} drop column dropped`);
  await insertExecution(set.client, day.noon, 40);
  await set.client.query(
    `update ${table} set own = id::text, input = (select jsonb_agg(md5(random()::text)) from generate_series(1, 30000))`,
  );
  const sum = await sumOf(set, day.name);
  expect(await set.task.run(signal)).toMatchObject({ outcome: 'done', failed: [] });
  const [archive] = await archivesIn(set.dir);
  expect(archive).toMatchObject({ ...sum, rows: 40 });
  expect(archive?.columns.map(({ name }) => name)).toContain('own');
});

test('archive: a row that comes after the file was written is no proof, and is in the file that takes its place', async () => {
  const set = await setUp();
  const day = await createDay(set.client, 100);
  await insertVariedExecutions(set.client, day.noon, 100);
  const { database } = set.deps;
  const expired = expiredDay(day);
  const first = await archiveTable(database, expired, { dir: set.dir, signal });
  if (typeof first === 'string') throw new Error(first);
  await insertExecution(set.client, day.noon);
  await detachExpired(set, day);
  expect(await dropArchived(database, expired.place, first.manifest, signal)).toBe('different');

  const sum = await sumOf(set, day.name);
  expect(await set.task.run(signal)).toMatchObject({ outcome: 'done', dropped: [day.name], overdue: 0 });
  expect(await archivesIn(set.dir)).toContainEqual(expect.objectContaining({ ...sum, rows: 101 }));
  expect(await tablesOf(set)).toEqual([]);
});

test('archive: a process that died before or after the detachment leaves nothing to be written twice', async () => {
  const set = await setUp();
  const [before, after] = [await createDay(set.client, 101), await createDay(set.client, 100)];
  for (const day of [before, after]) await insertVariedExecutions(set.client, day.noon, 100);
  for (const day of [before, after])
    expect(await archiveTable(set.deps.database, expiredDay(day), { dir: set.dir, signal })).toMatchObject({
      isNew: true,
    });
  await detachExpired(set, after);
  const files = await readdir(set.dir);
  expect(await set.task.run(signal)).toMatchObject({ outcome: 'done', dropped: [after.name, before.name], overdue: 0 });
  expect(await readdir(set.dir)).toEqual(files);
  expect(await archivesIn(set.dir)).toHaveLength(2);
});

test('archive: a file that was damaged since is no proof', async () => {
  const set = await setUp();
  const day = await createDay(set.client, 100);
  await insertVariedExecutions(set.client, day.noon, 500);
  const result = await archiveTable(set.deps.database, expiredDay(day), { dir: set.dir, signal });
  if (typeof result === 'string') throw new Error(result);
  const path = join(set.dir, result.manifest.file);
  const bytes = await readFile(path);
  bytes[1_000] = (bytes[1_000] ?? 0) ^ 1;
  await writeFile(path, bytes);
  expect(await findDamage(set.dir, result.manifest)).toMatch('contents of the file have changed');
  expect(await set.task.run(signal)).toMatchObject({ outcome: 'done', dropped: [day.name] });
  expect(await archivesIn(set.dir)).toEqual([expect.objectContaining({ rows: 500 })]);
});

test('archive: a day that comes to be again gets an archive of its own', async () => {
  const set = await setUp();
  const day = await createDay(set.client, 100);
  await insertVariedExecutions(set.client, day.noon, 10);
  await set.task.run(signal);
  await createDay(set.client, 100);
  await insertVariedExecutions(set.client, day.noon, 20);
  await set.task.run(signal);
  expect((await archivesIn(set.dir)).map(({ rows }) => rows)).toEqual([10, 20]);
});

test('archive: where the directory is not there, the partition stays attached, readable and told of, and comes in its turn', async () => {
  const dir = join(await createDirectory(), 'not-there');
  const set = await setUp(dir);
  const days = [await createDay(set.client, 101), await createDay(set.client, 100)];
  for (const { noon } of days) await insertExecution(set.client, noon);
  const report = await set.task.run(signal);
  expect(report).toMatchObject({ outcome: 'failed', dropped: [], overdue: 2 });
  expect(report.failed).toEqual([
    { name: days[0]?.name, reason: expect.stringMatching(/^SLUICE_ARCHIVE_DIR: .*ENOENT.*create or mount it/) },
  ]);
  expect(set.archived).toEqual(['failed']);
  expect(Object.values(await partitionRows(set.client))).toEqual([1, 1, 0]);
});

test('archive: several at once archive each day once', async () => {
  const set = await setUp();
  const days = [];
  for (let age = 100; age < 104; age += 1) days.push(await createDay(set.client, age));
  for (const { noon } of days) await insertVariedExecutions(set.client, noon, 200);
  const tasks = [set.task, createRetentionTask(set.deps), createRetentionTask(set.deps)];
  const reports = await Promise.all(tasks.map((task) => task.run(signal)));
  expect(reports.flatMap(({ failed }) => failed)).toEqual([]);
  await set.task.run(signal);
  expect(set.dropped.toSorted()).toEqual(days.map(({ name }) => name).toSorted());
  expect((await archivesIn(set.dir)).map(({ rows }) => rows)).toEqual([200, 200, 200, 200]);
});

test('archive: asked to stop, it ends between two pages and leaves no file', async () => {
  const set = await setUp();
  const day = await createDay(set.client, 100);
  await insertVariedExecutions(set.client, day.noon, 3_000);
  const stopping = new AbortController();
  const run = archiveTable(set.deps.database, expiredDay(day), { dir: set.dir, signal: stopping.signal });
  stopping.abort();
  expect(await run).toBe('stopped');
  expect(await readdir(set.dir)).toEqual([]);
  expect(await createRetentionTask(set.deps).run(stopping.signal)).toMatchObject({
    outcome: 'interrupted',
    overdue: 1,
  });
  expect(await partitionRows(set.client)).toMatchObject({ [day.name]: 3_000 });
});

test('archive: detached partitions that wait are not dropped, and told of, while no directory is set', async () => {
  const set = await setUp();
  const day = await createDay(set.client, 100);
  await detachExpired(set, day);
  const without = createRetentionTask({
    ...set.deps,
    config: { ...set.deps.config, retention: { ...set.deps.config.retention, archiveDir: null } },
  });
  expect(await without.run(signal)).toMatchObject({ outcome: 'done', dropped: [] });
  expect(await tablesOf(set)).toEqual([day.name]);
  expect(set.lines).toContainEqual(expect.objectContaining({ level: 50, names: [day.name] }));
  await rm(set.dir, { recursive: true });
});

const commentOf = async ({ client }: SetUp, name: string) =>
  (await client.query(`select obj_description('${name}'::regclass, 'pg_class') as comment`)).rows[0]?.comment;

function attachSql(day: { name: string; noon: Date }): string {
  const { from, until, place } = expiredDay(day);
  return `alter table ${table} attach partition ${place.name} for values from ('${from}') to ('${until}')`;
}

test('archive: a detached partition that somebody attaches again loses its mark, and one that is detached to be kept after that stays', async () => {
  const set = await setUp();
  const [marked, between] = [await createDay(set.client, 100), await createDay(set.client, 101)];
  for (const day of [marked, between]) {
    await insertExecution(set.client, day.noon);
    await detachExpired(set, day);
    await set.client.query(attachSql(day));
  }
  await set.client.query(`alter table ${table} detach partition ${between.name}`);
  // Of those that the run finds attached, none is overdue.
  const keeping = { ...set.deps.config, retention: { ...set.deps.config.retention, days: 365 } };
  const task = createRetentionTask({ ...set.deps, config: keeping });
  expect(await task.run(signal)).toMatchObject({ outcome: 'done', dropped: [], overdue: 0 });
  expect(await commentOf(set, marked.name)).toBeNull();
  expect(set.lines).toContainEqual(expect.objectContaining({ level: 40, names: [between.name] }));
  await set.client.query(`alter table ${table} detach partition ${marked.name}`);
  expect(await set.task.run(signal)).toMatchObject({ outcome: 'done', dropped: [], overdue: 0 });
  expect(await tablesOf(set)).toEqual([between.name, marked.name]);
});

test('archive: a detached partition that is attached while its drop waits for a lock stays', async () => {
  const set = await setUp();
  const day = await createDay(set.client, 100);
  await insertExecution(set.client, day.noon);
  const archive = await archiveTable(set.deps.database, expiredDay(day), { dir: set.dir, signal });
  if (typeof archive === 'string') throw new Error(archive);
  await detachExpired(set, day);
  const operator = await connect(set.databaseUrl);
  await operator.query(`begin; ${attachSql(day)}`);
  const dropping = dropArchived(set.deps.database, expiredDay(day).place, archive.manifest, signal);
  await untilBlocked(set.databaseUrl);
  await operator.query('commit');
  expect(await dropping).toBe('gone');
  expect(await partitionRows(set.client)).toMatchObject({ [day.name]: 1 });
});

test('archive: vacuum, analyze and reads of a detached partition change nothing about what becomes of it', async () => {
  const set = await setUp();
  const day = await createDay(set.client, 100);
  await insertVariedExecutions(set.client, day.noon, 100);
  await detachExpired(set, day);
  await set.client.query(`delete from ${day.name} where ctid in (select ctid from ${day.name} limit 10)`);
  await set.client.query(`vacuum (freeze, analyze) ${day.name}`);
  expect(await set.task.run(signal)).toMatchObject({ outcome: 'done', dropped: [day.name] });
  expect(await archivesIn(set.dir)).toEqual([expect.objectContaining({ rows: 90 })]);
});

test('archive: detached partitions that somebody keeps locked do not take the turn of the others', async () => {
  const set = await setUp();
  const kept = [];
  for (const age of [120, 119, 118, 117]) kept.push(await createDay(set.client, age));
  const [detached, expired] = [await createDay(set.client, 116), await createDay(set.client, 100)];
  for (const day of [...kept, detached]) await detachExpired(set, day);
  const names = kept.map(({ name }) => name);
  const reader = await connect(set.databaseUrl);
  await reader.query(`begin; ${names.map((name) => `select from ${name}`).join('; ')}`);
  expect(await set.task.run(signal)).toMatchObject({
    outcome: 'postponed',
    dropped: [detached.name, expired.name],
    postponed: names,
    overdue: 4,
  });
  await reader.query('commit');
  expect(await set.task.run(signal)).toMatchObject({ outcome: 'done', dropped: names, overdue: 0 });
});

test('archive: large rows after many small ones are not expanded by the range, but by the page', async () => {
  const set = await setUp();
  const day = await createDay(set.client, 100);
  await insertExecution(set.client, day.noon, 20_000);
  // Each is some bytes in the table and 100 KB beside it, so the range that small rows lead to has all of them.
  await set.client.query(
    `insert into strategy_execution_log (id, recorded_at, strategy_id, strategy_version, strategy_type, status, duration_ms, nodes_executed, sampled, sample_rate, input)
     select gen_random_uuid(), $1, 's', 1, 'DSL_FULL', 'ok', 1, 1, true, 1, input
     from (select to_jsonb(string_agg(md5(random()::text), '')) as input from generate_series(1, 3125)) as large, generate_series(1, 600)`,
    [day.noon],
  );
  expect(await set.task.run(signal)).toMatchObject({ outcome: 'done', dropped: [day.name] });
  expect(await archivesIn(set.dir)).toMatchObject([{ rows: 20_600 }]);
  // What does not fit into the memory of a statement goes to files, which a session counts when it ends.
  await set.deps.database.$disconnect();
  const sessions = 'select from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()';
  await until(async () => (await set.client.query(sessions)).rowCount === 0);
  const { rows } = await set.client.query(
    `select temp_bytes / 1048576 as mib from pg_stat_database where datname = current_database()`,
  );
  expect(Number(rows[0]?.mib)).toBeLessThan(120);
});

test('archive: a connection that is lost in the middle leaves the day and no file, and the next run archives it', async () => {
  const set = await setUp();
  const day = await createDay(set.client, 100);
  await insertVariedExecutions(set.client, day.noon, 3_000);
  const run = set.task.run(signal);
  run.catch(() => undefined);
  await until(async () => (await readdir(set.dir)).length > 0);
  await set.client.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
  );
  await expect(run).rejects.toThrow();
  expect(await readdir(set.dir)).toEqual([]);
  expect(await partitionRows(set.client)).toMatchObject({ [day.name]: 3_000 });
  expect(await set.task.run(signal)).toMatchObject({ outcome: 'done', dropped: [day.name] });
  expect(await archivesIn(set.dir)).toMatchObject([{ rows: 3_000 }]);
});

test('archive: what killed processes left is told of, and files without a name go after an hour', async () => {
  const set = await setUp();
  const day = await createDay(set.client, 100);
  await insertVariedExecutions(set.client, day.noon, 100);
  const [old, recent] = ['.a.parquet.0123456789ab.partial', '.b.parquet.0123456789ab.partial'];
  for (const name of [old, recent]) await writeFile(join(set.dir, name), 'x');
  await utimes(join(set.dir, old), 0, Date.now() / 1_000 - 7_200);
  const result = await archiveTable(set.deps.database, expiredDay(day), { dir: set.dir, signal });
  if (typeof result === 'string') throw new Error(result);
  const { file } = result.manifest;
  const manifest = file.replace('.parquet', '.json');
  expect((await readdir(set.dir)).toSorted()).toEqual([recent, file, manifest].toSorted());

  // Where a process dies between the two names.
  await rename(join(set.dir, manifest), join(set.dir, '.aside'));
  expect(await listArchives(set.dir)).toMatchObject({ manifests: [], withoutManifest: [file], missing: [] });
  await rename(join(set.dir, file), join(set.dir, '.rows'));
  await rename(join(set.dir, '.aside'), join(set.dir, manifest));
  expect(await listArchives(set.dir)).toMatchObject({ withoutManifest: [], missing: [file] });
  expect(await findDamage(set.dir, result.manifest)).toBe('the file is missing');
  await rename(join(set.dir, '.rows'), join(set.dir, file));
  expect(await archivesIn(set.dir)).toHaveLength(1);
});

test('archive: a manifest that says other bounds or sums than were archived is damaged', async () => {
  const set = await setUp();
  const day = await createDay(set.client, 100);
  await insertVariedExecutions(set.client, day.noon, 10);
  await set.task.run(signal);
  const [manifest] = await archivesIn(set.dir);
  if (manifest === undefined) throw new Error('there is none');
  for (const change of [{ from: manifest.until }, { rows: 11 }, { checksum: '1' }, { table: 'other' }])
    expect(await findDamage(set.dir, { ...manifest, ...change })).toMatch('its manifest');
});

test('archive: values of added columns are the same text, whatever the settings of the role and the database are', async () => {
  const set = await setUp();
  const day = await createDay(set.client, 100);
  await set.client.query(
    `alter table ${table} add column took interval, add column share real, add column bytes bytea, add column at timestamptz`,
  );
  await insertExecution(set.client, day.noon, 3);
  await set.client.query(
    `update ${table} set took = '1 mon -2 days 03:04:05.6', share = 0.1234567, bytes = '\\x00ff', at = '2026-02-01 23:00:00.123456+05'`,
  );
  const all = `select took::text, float4send(share), encode(bytes, 'hex'), extract(epoch from at)::text from`;
  const before = (await set.client.query(`${all} ${table} order by id`)).rows;
  expect(await set.task.run(signal)).toMatchObject({ outcome: 'done', dropped: [day.name] });
  const [manifest] = await archivesIn(set.dir);
  if (manifest === undefined) throw new Error('there is none');
  // A connection from now on has these.
  await set.client.query(`do $$ begin
    execute format('alter database %I set IntervalStyle = iso_8601', current_database());
    execute format('alter database %I set extra_float_digits = -3', current_database());
    execute format('alter database %I set bytea_output = escape', current_database());
  end $$`);
  const later = await maintenanceDeps({}, set.databaseUrl);
  await restoreArchive(later.deps.database, manifest, { dir: set.dir, into: 'again', signal });
  expect((await set.client.query(`${all} again order by id`)).rows).toEqual(before);
});
