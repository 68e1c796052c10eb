import type pg from 'pg';
import { readPartitions } from '../../shared/platform/postgres/partitions/partition-catalog.ts';
import { executionLogTable, toPartition } from '../../shared/platform/postgres/partitions/partitions.ts';
import { createPartitionsTask } from '../../workers/maintenance/partitions-task.ts';
import { copyRows, readColumns } from '../../workers/maintenance/past/copy-rows.ts';
import { makeStaging } from '../../workers/maintenance/past/staging.ts';
import { swapDefault } from '../../workers/maintenance/past/swap-default.ts';
import { connect } from './fixtures.ts';
import { maintenanceDeps } from './maintenance.ts';
import { insertExecution } from './rows.ts';

export const table = 'strategy_execution_log';
export const dayMs = 86_400_000;
export const signal = new AbortController().signal;
export const isoDay = (ms: number): string => new Date(ms).toISOString().slice(0, 10).replaceAll('-', '');
export const noonAgo = (days: number): Date => new Date((Math.floor(Date.now() / dayMs) - days) * dayMs + dayMs / 2);

/** The partitions task over a database of its own. */
export async function setUp(environment: Record<string, string> = {}) {
  const { databaseUrl, deps, lines } = await maintenanceDeps(environment);
  return { databaseUrl, deps, task: createPartitionsTask(deps), lines, client: await connect(databaseUrl) };
}

/** A move of yesterday's rows to the point where its tables are there and nothing is copied. */
export async function begin() {
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
export async function fillPast(client: pg.Client, count: number): Promise<void> {
  await client.query(
    `insert into ${table} (id, recorded_at, strategy_id, strategy_version, strategy_type, status, duration_ms, nodes_executed, sampled, sample_rate, case_name)
     select gen_random_uuid(), date_trunc('day', now(), 'UTC') - make_interval(days => 2 + n % 40) + make_interval(secs => n % 80000), 's', 1, 'DSL_FULL', 'ok', 1, 1, true, 1, 'case ' || n
     from generate_series(1, $1) as n`,
    [count],
  );
}

/** The tables of a move that are there. */
export async function leftovers(client: pg.Client): Promise<number | null> {
  return (await client.query(`select from pg_class where relname like 'sluice_moving%'`)).rowCount;
}
