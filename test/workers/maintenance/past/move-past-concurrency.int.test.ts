import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createPartitionsTask } from '../../../../workers/maintenance/partitions-task.ts';
import { catchUp, workOff } from '../../../../workers/maintenance/past/catch-up.ts';
import { connect, until } from '../../../support/fixtures.ts';
import { begin, fillPast, leftovers, noonAgo, setUp, signal, table } from '../../../support/past.ts';
import { insertExecution } from '../../../support/rows.ts';

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

test('past: two at once move each row once', async () => {
  const { client, task } = await setUp();
  await fillPast(client, 2_000);
  const reports = await Promise.all([task.run(signal), task.run(signal)]);
  expect(reports.reduce((sum, { movedRows }) => sum + movedRows, 0)).toBe(2_000);
  expect((await client.query(`select from ${table}`)).rowCount).toBe(2_000);
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
