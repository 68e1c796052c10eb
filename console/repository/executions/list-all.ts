import type { Database } from '../../../shared/database.ts';
import { toCursor } from './cursor.ts';
import { type ExecutionListQuestion, type ExecutionPage, type ExecutionSummary, listExecutions } from './list.ts';
import { listStrategies } from './strategies.ts';
import type { ExecutionWindow } from './window.ts';

/** As many as can be asked for at once. */
const mostStrategies = 200;

/**
 * Lists the executions of all strategies, the newest first, in pages as those of one strategy: the order is the same, and so
 * are the cursors. The strategies are asked one by one, each by its index, until no other has newer executions.
 *
 * @throws Error when more strategies have run in the window than can be asked
 */
export async function listAllExecutions(
  database: Database,
  question: Omit<ExecutionListQuestion, 'strategyId' | 'window'> & { window: ExecutionWindow },
): Promise<ExecutionPage> {
  const { limit = 50, window } = question;
  const strategies = await listStrategies(database, { window, limit: mostStrategies });
  if (strategies.length === mostStrategies) {
    throw new Error(
      `${mostStrategies} strategies or more have run in this window: name one, or ask for a shorter window`,
    );
  }
  let found: ExecutionSummary[] = [];
  let isMore = false;
  // The one that ran last comes first.
  for (const { strategyId, lastActivity } of strategies) {
    const oldest = found[limit - 1];
    if (oldest !== undefined && oldest.recordedAt > lastActivity) {
      isMore = true;
      break;
    }
    const page = await listExecutions(database, { ...question, strategyId });
    isMore ||= page.cursor !== null;
    found = [...found, ...page.executions].sort(newestFirst);
  }
  const executions = found.slice(0, limit);
  const last = executions.at(-1);
  isMore ||= found.length > limit;
  return { executions, cursor: isMore && last !== undefined ? toCursor(last) : null };
}

/** As PostgreSQL orders them: by time, then by id. */
function newestFirst(a: ExecutionSummary, b: ExecutionSummary): number {
  return b.recordedAt.getTime() - a.recordedAt.getTime() || (a.id < b.id ? 1 : -1);
}
