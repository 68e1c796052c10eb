import { Prisma } from '../../shared/platform/postgres/database.ts';
import type { Snapshot } from '../executions/snapshot.ts';
import { checkWindow, defaultWindowMs, type ExecutionWindow, type WindowRequest } from '../executions/window.ts';
import { type RequestFilter, toConditions } from './list-requests.ts';

/** Which requests figures are of, besides their time. */
export type RequestSubject = Omit<RequestFilter, 'state' | 'traceId' | 'from' | 'until'>;

/** Which requests, and of which time: those that arrived within the window. */
export interface RequestScope {
  window: ExecutionWindow;
  subject: RequestSubject;
}

/** The requests of a scope, as what follows `from`. */
export function requestsWithin({ window, subject }: RequestScope): Prisma.Sql {
  const conditions = toConditions({ ...subject, from: window.since, until: window.until });
  return Prisma.sql`sluice.request where ${Prisma.join(conditions, ' and ')}`;
}

/**
 * The window that a question means. If it asks for all time, the window begins with the oldest request of its model and creator, or
 * without one, 24 hours before its end.
 *
 * @throws UsageError if the window is empty
 */
export async function resolveRequestWindow(
  snapshot: Snapshot,
  { createdBy, model }: RequestSubject,
  request: WindowRequest,
): Promise<ExecutionWindow> {
  const { since, until } = checkWindow(request);
  if (since !== null) return { since, until };
  // Only by what has an index: the oldest request of anything else would be looked for among all.
  const conditions = toConditions({
    ...(createdBy === undefined ? {} : { createdBy }),
    ...(model === undefined ? {} : { model }),
    until,
  });
  const [oldest] = await snapshot.$queryRaw<{ since: Date }[]>`
    select created_at as since from sluice.request where ${Prisma.join(conditions, ' and ')}
    order by created_at limit 1`;
  return { since: oldest?.since ?? new Date(until.getTime() - defaultWindowMs), until };
}
