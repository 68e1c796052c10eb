import type { FilledTable } from './executions-table.ts';

/**
 * The original's queries on this table, which has the indexes that they can use: one statement after the other.
 */

/** The newest 50 rows of a status. */
export async function originalList({ client, strategyId }: FilledTable): Promise<void> {
  await client.query(
    `select * from strategy_execution_log where strategy_id = $1 and status = 'error'
     order by recorded_at desc nulls last limit 50`,
    [strategyId],
  );
}

const answer = [
  'select status, count(*) from strategy_execution_log where WINDOW group by status',
  'select error_code, count(*) from strategy_execution_log where WINDOW and error_code is not null group by error_code order by 2 desc limit 10',
  'select case_name, count(*) from strategy_execution_log where WINDOW group by case_name order by 2 desc limit 10',
  `select count(*), avg(duration_ms), min(duration_ms), max(duration_ms), sum(duration_ms), avg(nodes_executed),
     max(nodes_executed), sum(points) from strategy_execution_log where WINDOW`,
  `select duration_ms from strategy_execution_log where WINDOW and duration_ms is not null
     order by recorded_at desc nulls last limit 1000`,
  `select points from strategy_execution_log where WINDOW and points is not null
     order by recorded_at desc nulls last limit 1000`,
];

/** The six statements of its metrics: unweighted rows, percentiles of the newest 1,000, no series. */
export async function originalAnswer({ client, strategyId }: FilledTable, since: Date | null): Promise<void> {
  const window = since === null ? 'strategy_id = $1' : 'strategy_id = $1 and recorded_at >= $2';
  const values = since === null ? [strategyId] : [strategyId, since];
  for (const text of answer) await client.query(text.replace('WINDOW', window), values);
}
