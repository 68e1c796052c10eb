import { UsageError } from '../../shared/platform/errors.ts';
import { type Database, Prisma } from '../../shared/platform/postgres/database.ts';
import { type Estimate, type Tally, toFailureRate } from './estimates.ts';
import { inSnapshot } from './snapshot.ts';
import { isOfRealm } from './subject.ts';
import { checkWindow, type ExecutionWindow } from './window.ts';

/** A strategy that ran within a window. */
export interface SeenStrategy {
  strategyId: string;
  /** of its newest row in the window */
  lastActivity: Date;
  total: Tally;
  failed: Tally;
  failureRate: Estimate;
}

interface SeenRow {
  strategyId: string;
  lastActivity: Date;
  ok_rows: number;
  ok_runs: number;
  variance: number;
  failed_rows: number;
  failed_runs: number;
}

const maxLimit = 200;

/**
 * The strategies that ran within a window, most recent first.
 *
 * @param options.realmId only its runs
 * @param options.limit strategies, 1 to 200. @default 50
 * @throws UsageError if the limit is out of range or the window is empty
 */
export async function listStrategies(
  database: Database,
  options: { window: ExecutionWindow; realmId?: string | null; limit?: number; timeoutMs?: number },
): Promise<SeenStrategy[]> {
  const { window, realmId = null, limit = 50 } = options;
  if (!Number.isInteger(limit) || limit < 1 || limit > maxLimit) {
    throw new UsageError(`limit is ${limit}; accepted: 1 to ${maxLimit}`);
  }
  checkWindow(window);
  const rows = await inSnapshot(
    database,
    (snapshot) => snapshot.$queryRaw<SeenRow[]>(toStrategiesStatement(window, limit, realmId)),
    options.timeoutMs,
  );
  return rows.map(toSeenStrategy);
}

/** From columns that the index `(strategy_id, recorded_at)` has. */
export function toStrategiesStatement(
  { since, until }: ExecutionWindow,
  limit: number,
  realmId: string | null = null,
): Prisma.Sql {
  return Prisma.sql`select strategy_id as "strategyId", max(recorded_at) as "lastActivity",
      count(*) filter (where ok)::float8 as ok_rows, coalesce(sum(weight) filter (where ok), 0) as ok_runs,
      coalesce(sum(weight * (weight - 1)) filter (where ok), 0) as variance,
      count(*) filter (where not ok)::float8 as failed_rows, coalesce(sum(weight) filter (where not ok), 0) as failed_runs
    from (
      select strategy_id, recorded_at, status = 'ok' as ok, weight from sluice.strategy_execution_log
      where recorded_at >= ${since} and recorded_at < ${until}${isOfRealm(realmId)}
    ) as run
    group by strategy_id order by max(recorded_at) desc, strategy_id limit ${limit}`;
}

function toSeenStrategy(row: SeenRow): SeenStrategy {
  const ok = { rows: row.ok_rows, runs: row.ok_runs };
  const failed = { rows: row.failed_rows, runs: row.failed_runs };
  return {
    strategyId: row.strategyId,
    lastActivity: row.lastActivity,
    total: { rows: ok.rows + failed.rows, runs: ok.runs + failed.runs },
    failed,
    failureRate: toFailureRate({ ...ok, variance: row.variance }, failed),
  };
}
