import type pg from 'pg';
import { expect, test } from 'vitest';
import { readPartitions } from '../../shared/platform/postgres/partitions/partition-catalog.ts';
import { executionLogTable, toPartition } from '../../shared/platform/postgres/partitions/partitions.ts';
import { copyRows, readColumns } from '../../workers/maintenance/past/copy-rows.ts';
import { makeStaging } from '../../workers/maintenance/past/staging.ts';
import { swapDefault } from '../../workers/maintenance/past/swap-default.ts';
import { anErasure } from '../support/erasure.ts';
import { connect, until } from '../support/fixtures.ts';

const table = 'strategy_execution_log';
const gone = { kind: 'user', id: 'gone-1' } as const;
const dayMs = 86_400_000;

/** Rows in the DEFAULT partition, the tenth part of them of `gone-1`. With `chars` in each, so many lie on a page. */
async function fill(client: pg.Client, count: number, { chars = 0, days = 400 } = {}): Promise<void> {
  await client.query(
    `insert into ${table} (id, recorded_at, strategy_id, strategy_version, strategy_type, external_user_id, case_name, error_message,
       status, duration_ms, nodes_executed, sampled, sample_rate, attempt)
     select gen_random_uuid(), date_trunc('day', now(), 'UTC') - make_interval(days => $3), 's', 1, 't',
       case when n % 10 = 0 then 'gone-1' else 'stays' end, 'case ' || n, (select string_agg(md5(n || '-' || m), '') from generate_series(1, $2 / 32) as m),
       'ok', 1, 1, true, 1, 1 from generate_series(1, $1) as n`,
    [count, chars, days],
  );
}

async function left(client: pg.Client): Promise<{ gone: number; others: number }> {
  const { rows } = await client.query(`select count(*) filter (where external_user_id = 'gone-1')::int as gone,
    count(*) filter (where external_user_id <> 'gone-1')::int as others from ${table}`);
  return rows[0];
}

/** Each deletion of a row takes so many seconds. */
async function slowDeletions(client: pg.Client, seconds: string): Promise<void> {
  await client.query(`create function slow() returns trigger language plpgsql as
      $$ begin perform pg_sleep(${seconds}); return old; end $$;
    create trigger slow before delete on ${table} for each row execute function slow()`);
}

test('page ranges: what takes longer than a statement may is done in parts, down to rows of one page', async () => {
  const { client, erase } = await anErasure({ SLUICE_DATABASE_STATEMENT_TIMEOUT_MS: '500' });
  await fill(client, 200);
  // All on few pages: 20 deletions of 0.1 s.
  await slowDeletions(client, '0.1');
  const done = { erased: { executions: 20 }, left: { stuckRows: 0 }, isDone: true };
  expect(await erase(gone)).toMatchObject(done);
  expect(await left(client)).toEqual({ gone: 0, others: 180 });
});

test('page ranges: a row that takes too long by itself is left and told of, all behind it goes', async () => {
  const { client, erase } = await anErasure({ SLUICE_DATABASE_STATEMENT_TIMEOUT_MS: '300' });
  await fill(client, 1_000, { chars: 800 });
  await slowDeletions(client, "case old.case_name when 'case 500' then 5 else 0 end");
  const report = await erase(gone);
  expect(report).toMatchObject({ erased: { executions: 99 }, left: { stuckRows: 1 }, isDone: false });
  expect(await left(client)).toEqual({ gone: 1, others: 900 });
  await client.query(`drop trigger slow on ${table}`);
  expect(await erase(gone)).toMatchObject({ erased: { executions: 1 }, isDone: true });
});

test('page ranges: a row that somebody holds is left and told of, all others go', async () => {
  const { databaseUrl, client, erase } = await anErasure({ SLUICE_DATABASE_STATEMENT_TIMEOUT_MS: '300' });
  await fill(client, 300);
  const holder = await connect(databaseUrl);
  await holder.query('begin');
  await holder.query(`select from ${table} where case_name = 'case 20' for update`);
  expect(await erase(gone)).toMatchObject({ erased: { executions: 29 }, left: { stuckRows: 1 }, isDone: false });
  await holder.query('rollback');
  expect(await erase(gone)).toMatchObject({ erased: { executions: 1 }, isDone: true });
  expect(await left(client)).toEqual({ gone: 0, others: 270 });
});

/** Calls `then` when an erasure has gone through some pages of DEFAULT, and knows how many were gone through when it ended. */
function inTheMiddle(then: () => Promise<unknown>) {
  let pagesDone = 0;
  let totalPages = 0;
  let acting: Promise<number> | null = null;
  return {
    onProgress(progress: { place: string; pages: number; totalPages: number }) {
      ({ pages: pagesDone, totalPages } = progress);
      if (progress.place === 'executions' && pagesDone > 0) acting ??= then().then(() => pagesDone);
    },
    /** whether pages of the table were left then */
    wasInTheMiddle: async () => ((await acting) ?? Number.NaN) < totalPages,
  };
}

test('page ranges: DEFAULT is exchanged while it is gone through, and nothing is skipped', async () => {
  const { client, database, erase } = await anErasure();
  await fill(client, 2_000, { chars: 1_600, days: 1 });
  await fill(client, 2_000, { chars: 1_600 });
  const { partitions: all } = await readPartitions(database, executionLogTable);
  const catchAll = all.find(({ bounds }) => bounds.kind === 'default');
  if (catchAll === undefined) throw new Error('there is no DEFAULT partition');
  const fromMs = (Math.floor(Date.now() / dayMs) - 1) * dayMs;
  const partitions = [toPartition(executionLogTable, { fromMs, untilMs: fromMs + dayMs })];
  const made = await makeStaging(database, { table, catchAll, partitions });
  const what = { catchAll, made, columns: await readColumns(database, catchAll) };
  const { signal } = new AbortController();
  await copyRows(database, what, {
    signal,
    holdTurn: () => Promise.resolve(),
    workOff: () => Promise.resolve(),
    onBatch: () => undefined,
  });
  await slowDeletions(client, '0.005');
  const exchange = inTheMiddle(() =>
    until(async () => {
      await swapDefault(database, what, { table, partitions });
      return true;
    }),
  );
  expect(await erase(gone, exchange)).toMatchObject({ isDone: true });
  expect(await exchange.wasInTheMiddle()).toBe(true);
  expect(await left(client)).toEqual({ gone: 0, others: 3_600 });
  const { rows } = await client.query(`select count(*)::int as n from only ${table}_default`);
  expect(rows).toEqual([{ n: 1_800 }]);
});

test('page ranges: a table that is renamed, and one that is written anew, is gone through to its end', async () => {
  const { client, databaseUrl, erase } = await anErasure();
  const other = await connect(databaseUrl);
  await fill(client, 2_000, { chars: 1_600 });
  const rename = inTheMiddle(() => other.query(`alter table ${table}_default rename to kept_elsewhere`));
  expect(await erase(gone, rename)).toMatchObject({ erased: { executions: 200 }, isDone: true });
  expect(await rename.wasInTheMiddle()).toBe(true);
  expect(await left(client)).toEqual({ gone: 0, others: 1_800 });

  await fill(client, 2_000, { chars: 1_600 });
  // Half of its pages become empty, so that the rows behind them move to the front.
  await client.query(`delete from ${table} where external_user_id = 'stays' and ctid < '(200,0)'`);
  const rewrite = inTheMiddle(() => other.query('vacuum full kept_elsewhere'));
  expect(await erase(gone, rewrite)).toMatchObject({ erased: { executions: 200 }, isDone: true });
  expect(await rewrite.wasInTheMiddle()).toBe(true);
  expect((await left(client)).gone).toBe(0);
});
