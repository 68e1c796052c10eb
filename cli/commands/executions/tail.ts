import { listExecutions } from '../../../queries/executions/list.ts';
import type { ExecutionSummary } from '../../../queries/executions/summary.ts';
import { readClock, readKeys, readUnknown, type TailFilter } from '../../../queries/executions/tail.ts';
import type { Database } from '../../../shared/platform/postgres/database.ts';
import { type FollowOptions, follow } from '../follow/follow.ts';

/** Options of a tail of executions. */
export interface TailOptions extends FollowOptions<ExecutionSummary> {
  filter: TailFilter;
}

/** Reports executions as they become visible, until the signal aborts. @throws as follow */
export function tailExecutions(database: Database, { filter, ...options }: TailOptions): Promise<void> {
  return follow(
    {
      readClock: () => readClock(database),
      readNewest: (wanted) => readNewest(database, filter, wanted),
      readKeys: (from) => readKeys(database, filter, from),
      readUnknown: (question) => readUnknown(database, { filter, ...question }),
    },
    options,
  );
}

/** The last executions, however old, oldest first. */
async function readNewest(
  database: Database,
  { strategyId, failures }: TailFilter,
  { nowMs, last }: { nowMs: number; last: number },
): Promise<ExecutionSummary[]> {
  const window = { since: null, until: new Date(nowMs + 1) };
  const filter = failures ? { status: 'failed' as const } : {};
  const page = await listExecutions(database, { strategyId: strategyId ?? null, window, filter, limit: last });
  return page.executions.toReversed();
}
