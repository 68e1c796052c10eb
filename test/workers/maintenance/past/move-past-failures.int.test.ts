import { expect, test } from 'vitest';
import { TableMoved } from '../../../../shared/platform/postgres/held-table.ts';
import { attachDay } from '../../../../shared/platform/postgres/partitions/attach-partition.ts';
import { executionLogTable, toPartition } from '../../../../shared/platform/postgres/partitions/partitions.ts';
import { createPartitionsTask } from '../../../../workers/maintenance/partitions-task.ts';
import { catchUp } from '../../../../workers/maintenance/past/catch-up.ts';
import { dropStaging } from '../../../../workers/maintenance/past/staging.ts';
import { SwapPostponed } from '../../../../workers/maintenance/past/swap-default.ts';
import { connect, createNamespace, until } from '../../../support/fixtures.ts';
import { startMaintenance } from '../../../support/maintenance.ts';
import { begin, dayMs, fillPast, leftovers, noonAgo, setUp, signal, table } from '../../../support/past.ts';
import { insertExecution } from '../../../support/rows.ts';

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
