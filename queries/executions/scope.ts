import type { Snapshot } from './snapshot.ts';
import { type Subject, subjectCondition } from './subject.ts';
import { checkWindow, defaultWindowMs, type ExecutionWindow, type WindowRequest } from './window.ts';

/**
 * The window that a request means. If it asks for all time, the window begins with the strategy's oldest row, or without
 * one, 24 hours before its end.
 *
 * @throws UsageError if the window is empty
 */
export async function resolveWindow(
  snapshot: Snapshot,
  subject: Subject,
  request: WindowRequest,
): Promise<ExecutionWindow> {
  const { since, until } = checkWindow(request);
  if (since !== null) return { since, until };
  const [oldest] = await snapshot.$queryRaw<{ since: Date }[]>`
    select recorded_at as since from sluice.strategy_execution_log
    where ${subjectCondition(subject)} and recorded_at < ${until} order by recorded_at limit 1`;
  return { since: oldest?.since ?? new Date(until.getTime() - defaultWindowMs), until };
}
