import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { createRows } from '../rows.ts';
import type { Testbed } from '../testbed.ts';

/** A table with the rows of one busy strategy, and the windows to ask for. */
export interface FilledTable {
  strategyId: string;
  rows: number;
  /** of the whole table with its indexes and out-of-line storage, in bytes */
  bytes: number;
  /** of the indexes alone */
  indexBytes: number;
  /** after the newest row */
  until: Date;
  /** 24 hours before that, and the rows since then */
  dayAgo: Date;
  dayRows: number;
  /** ms from before the oldest row to `until` */
  spanMs: number;
  /** for what is not asked through Prisma */
  client: pg.Client;
}

/** The interval between rows in ms: 50,000 rows a day, so that a million are 20 days. */
const everyMs = 1_728;
const dayMs = 86_400_000;
/** Different traces and inputs; more rows repeat them. */
const distinctRuns = 600;

/**
 * Fills the table with SQL: runs that were really scored, with other ids, times and durations, of one strategy. One run in a hundred
 * fails, and 5 % of the others are kept, so one row in six is a failure.
 */
export async function fillTable(testbed: Testbed, rows: number): Promise<FilledTable> {
  await testbed.reset();
  const client = await testbed.connect('the connection to the execution log');

  const until = new Date();
  await createDays(client, until, rows);
  const runs = createRows(distinctRuns, testbed.config.producer);
  await client.query('create temp table run (n int primary key, run jsonb)');
  await client.query(
    `insert into run select ordinality - 1, value from jsonb_array_elements($1::jsonb) with ordinality`,
    [JSON.stringify(Array.from({ length: distinctRuns }, (_, index) => runs.record(index)))],
  );
  await client.query('analyze run');
  const strategyId = randomUUID();
  await client.query('select setseed(0.5)');
  await client.query(insertRuns, [rows, until, everyMs, distinctRuns, strategyId]);
  await client.query('vacuum analyze strategy_execution_log');
  await client.query('checkpoint');
  const { rows: sizes } = await client.query<{ bytes: number; index_bytes: number }>(
    `select sum(pg_total_relation_size(relid))::float8 as bytes, sum(pg_indexes_size(relid))::float8 as index_bytes
     from pg_partition_tree('strategy_execution_log') where isleaf`,
  );
  const { bytes = 0, index_bytes: indexBytes = 0 } = sizes[0] ?? {};
  return {
    strategyId,
    rows,
    bytes,
    indexBytes,
    until,
    dayAgo: new Date(until.getTime() - dayMs),
    dayRows: Math.min(rows, dayMs / everyMs),
    spanMs: rows * everyMs,
    client,
  };
}

/** Leaves the days that the testbed has already created. */
async function createDays(client: pg.Client, until: Date, rows: number): Promise<void> {
  const today = Math.floor(until.getTime() / dayMs);
  for (let day = Math.floor((until.getTime() - rows * everyMs) / dayMs); day <= today; day += 1) {
    const [from, to] = [day, day + 1].map((number) => new Date(number * dayMs).toISOString());
    const name = `strategy_execution_log_${from?.slice(0, 10).replaceAll('-', '')}`;
    await client.query(
      `create table if not exists ${name} partition of strategy_execution_log for values from ('${from}') to ('${to}')`,
    );
  }
}

const insertRuns = `
  insert into strategy_execution_log (id, recorded_at, strategy_id, strategy_version, strategy_type, realm_id,
    external_game_id, external_task_id, external_user_id, status, error_code, points, case_name, duration_ms, nodes_executed,
    trace, trace_length, sampled, sample_rate, ast_hash, input, attempt)
  select gen_random_uuid(), at, $5, 3, 'DSL_FULL', 'north',
    run->>'externalGameId', run->>'externalTaskId', run->>'externalUserId',
    case when not failed then 'ok' when kind < 0.6 then 'error' when kind < 0.85 then 'timeout' else 'limit' end,
    case when not failed then null when kind < 0.4 then 'DSL_ARITH_DIV_BY_ZERO' when kind < 0.6 then 'DSL_UNKNOWN_NODE'
      when kind < 0.85 then 'DSL_TIMEOUT' else 'DSL_LIMIT_EXCEEDED' end,
    case when not failed then (run->>'points')::float8 end,
    case when not failed then run->>'caseName' end,
    exp(2 + 0.8 * sqrt(-2 * ln(1 - u)) * cos(2 * pi() * v)), (run->>'nodesExecuted')::int,
    run->'trace', (run->>'traceLength')::int, not failed, case when failed then 1 else 0.05 end, run->>'astHash', run->'input', 1
  from (
    select n, $2::timestamptz - ($1::int - n + 1) * $3::int * interval '1 ms' as at,
      random() < 0.168 as failed, random() as kind, random() as u, random() as v
    from generate_series(1, $1::int) as n
  ) as drawn
  join run on run.n = drawn.n % $4::int
  order by drawn.n`;
