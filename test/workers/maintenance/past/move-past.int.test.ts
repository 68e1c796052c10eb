import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { expect, test } from 'vitest';
import { TableMoved } from '../../../../shared/platform/postgres/held-table.ts';
import { attachDay } from '../../../../shared/platform/postgres/partitions/attach-partition.ts';
import { readPartitions } from '../../../../shared/platform/postgres/partitions/partition-catalog.ts';
import { executionLogTable, toPartition } from '../../../../shared/platform/postgres/partitions/partitions.ts';
import { createPartitionsTask } from '../../../../workers/maintenance/partitions-task.ts';
import { catchUp, workOff } from '../../../../workers/maintenance/past/catch-up.ts';
import { copyRows, readColumns } from '../../../../workers/maintenance/past/copy-rows.ts';
import { dropStaging, makeStaging } from '../../../../workers/maintenance/past/staging.ts';
import { SwapPostponed, swapDefault } from '../../../../workers/maintenance/past/swap-default.ts';
import { connect, createNamespace, until } from '../../../support/fixtures.ts';
import { maintenanceDeps, startMaintenance } from '../../../support/maintenance.ts';
import { createRoles } from '../../../support/roles.ts';
import { insertExecution, partitionRows } from '../../../support/rows.ts';

const table = 'strategy_execution_log';
const dayMs = 86_400_000;
const signal = new AbortController().signal;
const isoDay = (ms: number): string => new Date(ms).toISOString().slice(0, 10).replaceAll('-', '');
const noonAgo = (days: number): Date => new Date((Math.floor(Date.now() / dayMs) - days) * dayMs + dayMs / 2);

async function setUp(environment: Record<string, string> = {}) {
  const { databaseUrl, deps, lines } = await maintenanceDeps(environment);
  return { databaseUrl, deps, task: createPartitionsTask(deps), lines, client: await connect(databaseUrl) };
}

/** A move of yesterday's rows to the point where its tables are there and nothing is copied. */
async function begin() {
  const { client, databaseUrl, deps, task } = await setUp();
  const { database } = deps;
  await insertExecution(client, noonAgo(1), 5);
  const { partitions: all } = await readPartitions(database, executionLogTable);
  const catchAll = all.find(({ bounds }) => bounds.kind === 'default');
  if (catchAll === undefined) throw new Error('there is no DEFAULT partition');
  const fromMs = noonAgo(1).getTime() - dayMs / 2;
  const partitions = [toPartition(executionLogTable, { fromMs, untilMs: fromMs + dayMs })];
  const make = () => makeStaging(database, { table, catchAll, partitions });
  const made = await make();
  const what = { catchAll, columns: await readColumns(database, catchAll), made };
  const holdTurn = () => Promise.resolve();
  const copy = () => copyRows(database, what, { signal, holdTurn, workOff: holdTurn, onBatch: () => undefined });
  const swap = () => swapDefault(database, what, { table, partitions });
  return { client, databaseUrl, database, task, make, made, what, copy, swap };
}

/** Rows of 40 days, spread over them, from two days ago on. */
async function fillPast(client: pg.Client, count: number): Promise<void> {
  await client.query(
    `insert into ${table} (id, recorded_at, strategy_id, strategy_version, strategy_type, status, duration_ms, nodes_executed, sampled, sample_rate, case_name)
     select gen_random_uuid(), date_trunc('day', now(), 'UTC') - make_interval(days => 2 + n % 40) + make_interval(secs => n % 80000), 's', 1, 'DSL_FULL', 'ok', 1, 1, true, 1, 'case ' || n
     from generate_series(1, $1) as n`,
    [count],
  );
}

async function leftovers(client: pg.Client): Promise<number | null> {
  return (await client.query(`select from pg_class where relname like 'sluice_moving%'`)).rowCount;
}

test('past: rows of the DEFAULT partition get partitions of their days, and are what they were', async () => {
  const { client, task } = await setUp();
  await fillPast(client, 4_000);
  // As they are from before the column was there.
  await client.query(`update ${table} set stored_at = null where case_name like '%7'`);
  const all = `select md5(string_agg(t::text, '|' order by id)) as sum from ${table} t`;
  const before = (await client.query(all)).rows;
  expect(((await task.preview()) as { wouldMove: string[] }).wouldMove).toHaveLength(40);
  const report = await task.run(signal);
  expect(report).toMatchObject({ outcome: 'done', movedRows: 4_000, defaultRows: 0 });
  expect(report.moved).toHaveLength(40);
  expect(report.moved[0]).toBe(`${table}_${isoDay(Date.now() - 2 * dayMs)}`);
  expect((await client.query(all)).rows).toEqual(before);
  const rows = await partitionRows(client);
  for (const name of report.moved) expect(rows[name]).toBe(100);
  expect(await leftovers(client)).toBe(0);
  expect(await task.run(signal)).toMatchObject({ outcome: 'done', moved: [], movedRows: 0 });
});

test('past: what is older than the retention, before 2000 or far ahead stays in the DEFAULT partition', async () => {
  const { client, task } = await setUp({ SLUICE_RETENTION_DAYS: '30', SLUICE_PARTITION_DAYS_AHEAD: '3' });
  for (const at of ['1970-01-21Z', '2099-01-01Z', noonAgo(32), noonAgo(20), noonAgo(-2)])
    await insertExecution(client, at, 2);
  expect(await task.run(signal)).toMatchObject({ movedRows: 4, defaultRows: 6, blocked: [], outcome: 'done' });
  const rows = await partitionRows(client);
  expect(rows).toMatchObject({
    [`${table}_default`]: 6,
    [`${table}_${isoDay(Date.now() - 20 * dayMs)}`]: 2,
    [`${table}_${isoDay(Date.now() + 2 * dayMs)}`]: 2,
  });
  await insertExecution(client, '2098-01-01Z');
  expect(await partitionRows(client)).toMatchObject({ [`${table}_default`]: 7 });
});

test('past: today that is blocked by its own rows gets its partition', async () => {
  const { client, task } = await setUp();
  await insertExecution(client, new Date(), 5);
  expect(await task.run(signal)).toMatchObject({ outcome: 'done', blocked: [], defaultRows: 0, movedRows: 5 });
  await insertExecution(client, new Date());
  expect(await partitionRows(client)).toMatchObject({ [`${table}_${isoDay(Date.now())}`]: 6 });
});

test('past: while 100,000 rows are moved, inserts, changes and deletions go on, and each row is seen once at every moment', async () => {
  const { client, databaseUrl, task } = await setUp();
  await fillPast(client, 100_000);
  const { rows: some } = await client.query<{ id: string }>(`select id from ${table} order by id limit 200`);
  let isMoving = true;
  const written = { inserted: 0, deleted: 0 };
  const writing = (async () => {
    const writer = await connect(databaseUrl);
    while (isMoving) {
      await insertExecution(writer, noonAgo(2 + (written.inserted % 40)));
      written.inserted += 1;
      const row = some[written.deleted];
      if (row !== undefined) {
        await writer.query(`delete from ${table} where id = $1`, [row.id]);
        written.deleted += 1;
        await writer.query(`update ${table} set notes = 'changed' where id = $1`, [some.at(-1)?.id]);
      }
      await sleep(2);
    }
  })();
  /** Rows that were there at the begin and are never deleted. */
  const stays = `not (id = any($1::uuid[]))  and case_name is not null`;
  const ids = some.map(({ id }) => id);
  const counts: unknown[] = [];
  const reading = ['read committed', 'repeatable read'].map(async (isolation) => {
    const reader = await connect(databaseUrl);
    while (isMoving) {
      await reader.query(`begin isolation level ${isolation}`);
      const { rows } = await reader.query(
        `select count(*)::int as n, count(distinct id)::int as ids from ${table} where ${stays}`,
        [ids],
      );
      await reader.query('commit');
      counts.push(rows[0]);
      await sleep(20);
    }
  });
  const report = await task.run(signal);
  isMoving = false;
  await Promise.all([writing, ...reading]);
  expect(report).toMatchObject({ outcome: 'done' });
  expect(report.moved).toHaveLength(40);
  expect(counts.length).toBeGreaterThan(5);
  for (const count of counts) expect(count).toEqual({ n: 99_800, ids: 99_800 });
  const { rows } = await client.query(`select count(*)::int as n, count(distinct id)::int as ids from ${table}`);
  const n = 100_000 + written.inserted - written.deleted;
  expect(rows).toEqual([{ n, ids: n }]);
  expect(written.inserted).toBeGreaterThan(20);
  expect((await client.query(`select from ${table} where notes = 'changed'`)).rowCount).toBe(
    written.deleted < 200 ? 1 : 0,
  );
}, 180_000);

test('past: a reader that stays holds nobody up, and the rows are moved when it has gone', async () => {
  const { client, databaseUrl, task } = await setUp();
  await fillPast(client, 100);
  const reader = await connect(databaseUrl);
  await reader.query('begin isolation level repeatable read');
  // It has a snapshot, and no lock on the table yet: it would find the copies to be newer than its snapshot.
  await reader.query('select from dead_letter');
  const running = task.run(signal);
  await until(async () => (await leftovers(client)) !== 0);
  for (let row = 0; row < 50; row += 1) await insertExecution(client, noonAgo(3));
  expect((await reader.query(`select from ${table} where case_name is not null`)).rowCount).toBe(100);
  await reader.query('commit');
  expect(await running).toMatchObject({ outcome: 'done', movedRows: 150 });
});

test('past: what a dead process left behind is taken away, and all is moved', async () => {
  const { client, task, deps } = await setUp();
  await fillPast(client, 400);
  const stop = new AbortController();
  const dying = createPartitionsTask({
    ...deps,
    onMoving: () => {
      throw new Error('dies here');
    },
  });
  await expect(dying.run(stop.signal)).rejects.toThrow('dies here');
  await client.query(`create table sluice_moving_all (like ${table} including all) partition by range (recorded_at)`);
  await client.query(`create table sluice_moving_changes (id uuid, recorded_at timestamptz)`);
  expect(await task.run(signal)).toMatchObject({ outcome: 'done', movedRows: 400 });
  expect(await leftovers(client)).toBe(0);
});

test('past: two at once move each row once', async () => {
  const { client, task } = await setUp();
  await fillPast(client, 2_000);
  const reports = await Promise.all([task.run(signal), task.run(signal)]);
  expect(reports.reduce((sum, { movedRows }) => sum + movedRows, 0)).toBe(2_000);
  expect((await client.query(`select from ${table}`)).rowCount).toBe(2_000);
});

test('past: who may read the DEFAULT partition by name may do so afterwards, and a view of it is said to be in the way', async () => {
  const { client, task } = await setUp();
  await client.query(`grant select on ${table}_default to public`);
  await fillPast(client, 10);
  await client.query(`create view strays as select * from ${table}_default`);
  expect(await task.run(signal)).toMatchObject({ outcome: 'postponed', waiting: expect.stringContaining('view') });
  await client.query('drop view strays');
  expect(await task.run(signal)).toMatchObject({ outcome: 'done', movedRows: 10 });
  const { rows } = await client.query(`select has_table_privilege('pg_monitor', '${table}_default', 'select') as may`);
  expect(rows).toEqual([{ may: true }]);
});

test('past: what the database refuses is told beside the state of the table', async () => {
  const { client, task } = await setUp();
  await fillPast(client, 10);
  // A name that only a stranger's table has.
  await client.query('create table sluice_moving_rest (id int)');
  expect(await task.run(signal)).toMatchObject({
    outcome: 'failed',
    waiting: expect.stringContaining('sluice_moving_rest'),
    defaultRows: 10,
  });
});

test('past: a mover that has lost its tables to another one writes nothing, exchanges nothing and leaves those of the other', async () => {
  const { client, database, make, made, what, copy, swap } = await begin();
  await copy();
  await dropStaging(database);
  await expect(copy()).rejects.toThrow(TableMoved);
  const others = await make();
  await expect(copy()).rejects.toThrow(TableMoved);
  await expect(catchUp(database, what, { statementMs: 5_000 })).rejects.toThrow(TableMoved);
  await expect(swap()).rejects.toThrow(TableMoved);
  await dropStaging(database, made);
  expect((await client.query('select from sluice_moving_all')).rowCount).toBe(0);
  expect((await client.query(`select from ${table}`)).rowCount).toBe(5);
  await insertExecution(client, noonAgo(1));
  expect((await client.query('select from sluice_moving_changes')).rowCount).toBe(1);
  await dropStaging(database, others);
  expect(await leftovers(client)).toBe(0);
});

test('past: a mover whose turn was ended stops, and begins anew', async () => {
  const { client, deps } = await setUp();
  await fillPast(client, 60_000);
  let batches = 0;
  const endTurn = () =>
    client.query(`select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and objid = 7270414
      and database = (select oid from pg_database where datname = current_database())`);
  const onMoving = () => {
    if (batches === 0) void endTurn();
    batches += 1;
  };
  await expect(createPartitionsTask({ ...deps, onMoving }).run(signal)).rejects.toThrow();
  expect(await leftovers(client)).toBe(0);
  expect(await createPartitionsTask(deps).run(signal)).toMatchObject({ outcome: 'done', movedRows: 60_000 });
}, 120_000);

test('past: a DEFAULT partition that takes longer than a statement may is planned and moved even so', async () => {
  const { client, databaseUrl, task } = await setUp({ SLUICE_DATABASE_STATEMENT_TIMEOUT_MS: '1000' });
  await task.run(signal);
  await fillPast(client, 40);
  const holder = await connect(databaseUrl);
  const outlasted = async (run: () => Promise<object>): Promise<object> => {
    await holder.query(`begin; reindex index ${table}_default_pkey`);
    const running = run();
    running.catch(() => undefined);
    // No plan can be made without a look at the index. The patient connection waits for longer than a statement may take.
    await until(
      async () =>
        (
          await client.query(
            `select from pg_stat_activity where datname = current_database() and application_name = 'sluice partitions'
               and wait_event_type = 'Lock' and query_start < clock_timestamp() - interval '1.1 s'`,
          )
        ).rowCount === 1,
    );
    await holder.query('commit');
    return running;
  };
  expect(((await outlasted(() => task.preview())) as { wouldMove: string[] }).wouldMove).toHaveLength(40);
  expect(await outlasted(() => task.run(signal))).toMatchObject({ outcome: 'done', movedRows: 40 });
});

test('past: the last changes have one time for all of their statements, and inserts wait no longer', async () => {
  const { client, database, made, copy, swap } = await begin();
  await copy();
  await client.query(`create function slowly() returns trigger language plpgsql as $$ begin perform pg_sleep(0.3); return null; end $$;
    create trigger slowly before insert or delete on sluice_moving_all for each statement execute function slowly();
    create trigger slowly before delete on sluice_moving_changes for each statement execute function slowly()`);
  await expect(swap()).rejects.toThrow(SwapPostponed);
  await insertExecution(client, noonAgo(1));
  expect((await client.query(`select from ${table}_default`)).rowCount).toBe(6);
  // What had begun ends by itself.
  await until(() =>
    dropStaging(database, made).then(
      () => true,
      () => false,
    ),
  );
  expect(await leftovers(client)).toBe(0);
});

test('past: when a move fails, its own error is told, and the tables go as soon as the readers have gone', async () => {
  const { client, databaseUrl, deps } = await setUp();
  await fillPast(client, 400);
  const reader = await connect(databaseUrl);
  let reading: Promise<unknown> = Promise.resolve();
  const onMoving = () => {
    reading = reader.query(`begin; select from ${table}_default limit 1`);
    throw new Error('dies here');
  };
  const dying = expect(createPartitionsTask({ ...deps, onMoving }).run(signal)).rejects.toThrow('dies here');
  const isThere = async (name: string) =>
    (await client.query('select from pg_class where relname = $1', [name])).rowCount === 1;
  await until(() => isThere('sluice_moving_all'));
  await until(async () => !(await isThere('sluice_moving_all')));
  await reading;
  await reader.query('commit');
  await dying;
  expect(await leftovers(client)).toBe(0);
});

test('past: a name that a move has taken has the partition wait for the next look', async () => {
  const { database } = await begin();
  const fromMs = noonAgo(1).getTime() - dayMs / 2;
  const day = toPartition(executionLogTable, { fromMs, untilMs: fromMs + dayMs });
  const isMissing = () => Promise.resolve(true);
  expect(await attachDay(database, table, day, { scanMs: 2_000, isMissing })).toBe('in use');
});

test("past: what another role than the owner moves stays the owner's", async () => {
  const { client, databaseUrl, task } = await setUp();
  await createRoles(databaseUrl);
  const owners = `select distinct pg_get_userbyid(relowner) as owner from pg_class where relname like '${table}%' and relkind in ('r', 'p')`;
  await task.run(signal);
  await insertExecution(client, noonAgo(3), 5);
  const before = (await client.query(owners)).rows;
  expect(before).toHaveLength(1);
  expect(before[0].owner).toMatch(/migrator$/);
  expect(await task.run(signal)).toMatchObject({ outcome: 'done', movedRows: 5 });
  expect((await client.query(owners)).rows).toEqual(before);
});

test.each([
  ['written anew', `vacuum full ${table}_default`],
  ['emptied', `truncate ${table}_default`],
])('past: a DEFAULT partition that was %s during the copy is not exchanged', async (_, sql) => {
  const { client, copy, swap } = await begin();
  await insertExecution(client, noonAgo(1), 15);
  await copy();
  await client.query(sql);
  const left = async () => (await client.query(`select id from ${table} order by id`)).rows;
  const before = await left();
  await expect(swap()).rejects.toThrow('rewritten or truncated');
  expect(await left()).toEqual(before);
});

test('past: what a session that replicates writes is moved, too', async () => {
  const { client, copy, swap } = await begin();
  await copy();
  await client.query('set session_replication_role = replica');
  await insertExecution(client, noonAgo(1), 3);
  await client.query('reset session_replication_role');
  await swap();
  expect((await client.query(`select from ${table}`)).rowCount).toBe(8);
  expect((await client.query(`select from ${table}_default`)).rowCount).toBe(0);
});

test('past: changes are worked off some at a time, and the copies are as the rows are then', async () => {
  const { client, database, what, copy, swap } = await begin();
  await insertExecution(client, noonAgo(1), 15);
  await copy();
  await client.query(`update ${table} set notes = 'changed'`);
  await client.query(`delete from ${table} where id = (select id from ${table} order by id limit 1)`);
  await insertExecution(client, noonAgo(2));
  const noted = async () => (await client.query('select from sluice_moving_changes')).rowCount;
  // 15 that came, 20 that changed, each noted once, one that went and one more that came.
  expect(await noted()).toBe(37);
  expect(await catchUp(database, what, { statementMs: 5_000, most: 10 })).toMatchObject({ notes: 10 });
  expect(await noted()).toBe(27);
  const holdTurn = () => Promise.resolve();
  expect(await workOff(database, what, { most: 10, forMs: 0, signal, holdTurn })).toBe(false);
  expect(await workOff(database, what, { most: 10, forMs: 60_000, signal, holdTurn })).toBe(true);
  expect(await noted()).toBe(0);
  const differing = `(table ${table}_default except table sluice_moving_all) union all (table sluice_moving_all except table ${table}_default)`;
  expect((await client.query(differing)).rowCount).toBe(0);
  await swap();
  expect((await client.query(`select from ${table}`)).rowCount).toBe(20);
});

test('past: rows that change all the time while they are copied are moved, as they were changed last', async () => {
  const { client, databaseUrl, deps } = await setUp();
  const rows = 150_000;
  await fillPast(client, rows);
  const looks: Promise<number>[] = [];
  const looker = await connect(databaseUrl);
  const look = async (): Promise<number> => {
    const { rows: found } = await looker.query('select coalesce(min(n), 0)::int as first from sluice_moving_changes');
    return found[0]?.first ?? 0;
  };
  let isMoving = true;
  let round = 0;
  const writing = (async () => {
    const writer = await connect(databaseUrl);
    const { rows: ids } = await writer.query<{ id: string }>(`select id from ${table} order by id limit 20000`);
    for (; isMoving; round += 1) {
      const from = (round * 200) % ids.length;
      const some = ids.slice(from, from + 200).map(({ id }) => id);
      await writer.query(`update ${table} set notes = 'round ' || $2 where id = any($1::uuid[])`, [some, round]);
      await sleep(10);
    }
    return ids;
  })();
  const report = await createPartitionsTask({ ...deps, onMoving: () => looks.push(look().catch(() => 0)) }).run(signal);
  isMoving = false;
  const ids = await writing;
  expect(report).toMatchObject({ outcome: 'done', defaultRows: 0 });
  // Some were worked off while there was more to copy.
  expect((await Promise.all(looks)).slice(0, -1).some((first) => first > 1)).toBe(true);
  expect((await client.query(`select from ${table}`)).rowCount).toBe(rows);
  const expected = new Map(ids.map(({ id }) => [id, null as string | null]));
  for (let done = 0; done < round; done += 1) {
    const from = (done * 200) % ids.length;
    for (const { id } of ids.slice(from, from + 200)) expected.set(id, `round ${done}`);
  }
  const { rows: found } = await client.query<{ id: string; notes: string | null }>(
    `select id, notes from ${table} where id = any($1::uuid[])`,
    [[...expected.keys()]],
  );
  expect(found).toHaveLength(expected.size);
  expect(found.filter(({ id, notes }) => notes !== expected.get(id))).toEqual([]);
  expect(await leftovers(client)).toBe(0);
}, 180_000);

test('past: when the disk is full, what was copied goes at once, and the next try is that of the next turn', async () => {
  const { client, databaseUrl, deps, task } = await setUp();
  await task.run(signal);
  await fillPast(client, 400);
  // Copies have the constraints of the table. What it raises is what the server says when it cannot make a file larger.
  await client.query(`create function has_room() returns boolean language plpgsql as $$ begin
      if current_setting('application_name') = 'sluice partitions' then raise exception 'no space' using errcode = '53100'; end if;
      return true;
    end $$;
    alter table ${table} add constraint has_room check (has_room()) not valid`);
  const maintenance = await startMaintenance(databaseUrl, createNamespace());
  await maintenance.started;
  const runs = (outcome: string) =>
    maintenance.metric('sluice_maintenance_runs_total', { task: 'partitions', outcome }).catch(() => 0);
  await until(async () => (await runs('postponed')) === 1);
  expect(maintenance.lines).toContainEqual(
    expect.objectContaining({ level: 40, reason: expect.stringContaining('disk of PostgreSQL is full') }),
  );
  expect(maintenance.lines).toContainEqual(
    expect.objectContaining({ level: 50, waiting: expect.stringContaining('full'), defaultRows: 400 }),
  );
  expect(maintenance.messages().filter((message) => message.startsWith('moving rows'))).toHaveLength(1);
  expect(await leftovers(client)).toBe(0);
  await client.query(`alter table ${table} drop constraint has_room`);
  expect(await createPartitionsTask(deps).run(signal)).toMatchObject({ outcome: 'done', movedRows: 400 });
});

test('past: a process that has no turn for seconds while it exchanges the tables holds inserts up for less than two, and exchanges them later', async () => {
  const { client, databaseUrl, deps, task } = await setUp();
  await task.run(signal);
  await fillPast(client, 100);
  const reader = await connect(databaseUrl);
  await reader.query('begin isolation level repeatable read; select from dead_letter');
  const onMoved: number[] = [];
  const running = createPartitionsTask({ ...deps, onMoved: (rows) => onMoved.push(rows) }).run(signal);
  const isExchanging = `select from pg_locks where mode = 'ShareRowExclusiveLock' and granted and relation = '${table}'::regclass`;
  await until(async () => (await client.query(isExchanging)).rowCount === 1);
  const inserting = client.query<{ seconds: number }>(
    `insert into ${table} (id, recorded_at, strategy_id, strategy_version, strategy_type, status, duration_ms, nodes_executed, sampled, sample_rate)
     values (gen_random_uuid(), now() - interval '3 days', 's', 1, 'DSL_FULL', 'ok', 1, 1, true, 1)
     returning extract(epoch from clock_timestamp() - statement_timestamp())::float8 as seconds`,
  );
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 4_000);
  const [inserted] = (await inserting).rows;
  expect(inserted?.seconds).toBeLessThan(2);
  await reader.query('commit');
  expect(await running).toMatchObject({ outcome: 'done', movedRows: 101 });
  expect(onMoved).toEqual([101]);
  expect(await leftovers(client)).toBe(0);
});

test('past: a move waits for a vacuum of the DEFAULT partition without holding inserts up, and its copies are vacuumed as all tables are', async () => {
  const { client, databaseUrl, task } = await setUp();
  await task.run(signal);
  await fillPast(client, 100);
  const vacuum = await connect(databaseUrl);
  // The lock of a vacuum, which nobody who waits for less than a second ends.
  await vacuum.query(`begin; lock table ${table}_default in share update exclusive mode`);
  const running = task.run(signal);
  const isAsking = `select from pg_stat_activity where application_name = 'sluice partitions' and query like '%ShareLock%' and datname = current_database()`;
  await until(async () => (await client.query(isAsking)).rowCount !== 0);
  const waits = `select from pg_locks where not granted and relation = '${table}_default'::regclass`;
  for (let row = 0; row < 20; row += 1) {
    await insertExecution(client, noonAgo(3));
    expect((await client.query(waits)).rowCount).toBe(0);
  }
  await vacuum.query('commit');
  expect(await running).toMatchObject({ outcome: 'done', movedRows: 120 });
  const { rowCount } = await client.query(
    `select from pg_class where relname like '${table}%' and reloptions is not null`,
  );
  expect(rowCount).toBe(0);
});

test('past: where the exchange takes too long, fewer tables are exchanged at once', async () => {
  const { client, task, lines } = await setUp();
  await task.run(signal);
  for (let ago = 2; ago < 10; ago += 1) await insertExecution(client, noonAgo(ago), 5);
  await client.query(`create function slowly() returns event_trigger language plpgsql as $$ begin
      if current_setting('application_name') = 'sluice partitions' then perform pg_sleep(0.08); end if;
    end $$;
    create event trigger slowly on ddl_command_end when tag in ('ALTER TABLE') execute function slowly()`);
  const report = await task.run(signal);
  expect(report).toMatchObject({ outcome: 'done', movedRows: 40, defaultRows: 0 });
  expect(report.moved).toHaveLength(8);
  const begun = lines.filter(({ msg }) => msg.startsWith('moving rows')).map(({ partitions }) => Number(partitions));
  expect(begun[0]).toBe(8);
  expect(begun.at(-1)).toBeLessThan(3);
  expect((await client.query(`select from ${table}`)).rowCount).toBe(40);
}, 120_000);
