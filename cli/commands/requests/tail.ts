import { readClock } from '../../../queries/executions/tail.ts';
import {
  type EndedRequest,
  type RequestTailFilter,
  readNewestEnded,
  readRequestKeys,
  readUnknownRequests,
} from '../../../queries/requests/tail.ts';
import type { Database } from '../../../shared/platform/postgres/database.ts';
import { type FollowOptions, follow } from '../follow/follow.ts';

/** Options of a tail of requests. */
export interface RequestTailOptions extends FollowOptions<EndedRequest> {
  filter: RequestTailFilter;
  /** how long before its end a request may have arrived without being missed, in ms */
  longestMs: number;
}

/**
 * Reports requests when their end becomes visible, until the signal aborts.
 *
 * @throws as follow
 */
export function tailRequests(database: Database, { filter, longestMs, ...options }: RequestTailOptions): Promise<void> {
  const questionFrom = (from: Date) => ({
    filter,
    from,
    arrivedFrom: new Date(Math.max(0, from.getTime() - longestMs)),
  });
  return follow(
    {
      readClock: () => readClock(database),
      readNewest: ({ last }) => readNewestEnded(database, filter, last),
      readKeys: (from) => readRequestKeys(database, questionFrom(from)),
      readUnknown: ({ from, known, limit }) => readUnknownRequests(database, { ...questionFrom(from), known, limit }),
    },
    options,
  );
}
