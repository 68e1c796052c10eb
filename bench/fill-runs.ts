import type pg from 'pg';
import { say } from '../dev/steps.ts';
import { createRows } from './rows.ts';
import type { Testbed } from './testbed.ts';

/** Different traces and inputs; more rows repeat them. */
const distinctRuns = 600;

/** Rows in one statement. */
const chunkRows = 100_000;
const sayEveryMs = 10_000;

/** Which rows to make. */
export interface Filling {
  rows: number;
  /** the time of the first row, and the interval between two, in ms */
  fromMs: number;
  everyMs: number;
  /** they take turns */
  strategyIds: readonly string[];
}

/** Prepares a connection for `fillRuns`: it gets runs that were really scored, in a temporary table. */
export async function prepareRuns(client: pg.Client, producer: Testbed['config']['producer']): Promise<void> {
  const runs = createRows(distinctRuns, producer);
  await client.query(`create temp table run (n int primary key, external_game_id text, external_task_id text,
    external_user_id text, points float8, case_name text, nodes_executed int, trace jsonb, trace_length int,
    ast_hash text, input jsonb)`);
  // In the row and compressed, so that filling copies the bytes, and compresses no row again.
  await client.query('alter table run alter trace set storage main, alter input set storage main');
  await client.query(
    `insert into run select ordinality - 1, run->>'externalGameId', run->>'externalTaskId', run->>'externalUserId',
       (run->>'points')::float8, run->>'caseName', (run->>'nodesExecuted')::int, run->'trace',
       (run->>'traceLength')::int, run->>'astHash', run->'input'
     from jsonb_array_elements($1::jsonb) with ordinality as element (run, ordinality)`,
    [JSON.stringify(Array.from({ length: distinctRuns }, (_, index) => runs.record(index)))],
  );
  await client.query('analyze run');
  await client.query('select setseed(0.5)');
}

/**
 * Fills the table with SQL: runs that were really scored, with other ids, times and durations. One run in a hundred fails, and
 * 5 % of the others are kept, so one row in six is a failure.
 */
export async function fillRuns(client: pg.Client, { rows, fromMs, everyMs, strategyIds }: Filling): Promise<void> {
  let saidAt = performance.now();
  for (let start = 0; start < rows; start += chunkRows) {
    const end = Math.min(rows, start + chunkRows);
    await client.query(insertRuns, [start, end - 1, new Date(fromMs), everyMs, distinctRuns, strategyIds]);
    if (performance.now() - saidAt < sayEveryMs) continue;
    say(`${end.toLocaleString('en')} of ${rows.toLocaleString('en')} rows are made`);
    saidAt = performance.now();
  }
}

// The number of a run and that of its strategy go apart, so that each strategy has all runs. Ids are UUIDv7, as the SDK's.
const insertRuns = `
  insert into strategy_execution_log (id, recorded_at, strategy_id, strategy_version, strategy_type, realm_id,
    external_game_id, external_task_id, external_user_id, status, error_code, points, case_name, duration_ms, nodes_executed,
    trace, trace_length, sampled, sample_rate, ast_hash, input, attempt)
  select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7'
      || substr(translate(gen_random_uuid()::text, '-', ''), 14))::uuid,
    at, ($6::text[])[1 + (drawn.n / $5::int + drawn.n) % cardinality($6::text[])], 3, 'DSL_FULL', 'north',
    external_game_id, external_task_id, external_user_id,
    case when not failed then 'ok' when kind < 0.6 then 'error' when kind < 0.85 then 'timeout' else 'limit' end,
    case when not failed then null when kind < 0.4 then 'DSL_ARITH_DIV_BY_ZERO' when kind < 0.6 then 'DSL_UNKNOWN_NODE'
      when kind < 0.85 then 'DSL_TIMEOUT' else 'DSL_LIMIT_EXCEEDED' end,
    case when not failed then points end, case when not failed then case_name end,
    exp(2 + 0.8 * sqrt(-2 * ln(1 - u)) * cos(2 * pi() * v)), nodes_executed,
    trace, trace_length, not failed, case when failed then 1 else 0.05 end, ast_hash, input, 1
  from (
    select n, $3::timestamptz + n * $4::float8 * interval '1 ms' as at,
      random() < 0.168 as failed, random() as kind, random() as u, random() as v
    from generate_series($1::int, $2::int) as n
  ) as drawn
  join run on run.n = drawn.n % $5::int
  order by drawn.n`;
