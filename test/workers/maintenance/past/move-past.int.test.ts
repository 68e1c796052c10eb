import { expect, test } from 'vitest';
import { connect, until } from '../../../support/fixtures.ts';
import { dayMs, fillPast, isoDay, leftovers, noonAgo, setUp, signal, table } from '../../../support/past.ts';
import { createRoles } from '../../../support/roles.ts';
import { insertExecution, partitionRows } from '../../../support/rows.ts';

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
