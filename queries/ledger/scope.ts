import type { QueueName } from '../../shared/contracts/queues.ts';
import { UsageError } from '../../shared/platform/errors.ts';
import { Prisma } from '../../shared/platform/postgres/database.ts';
import { type Buckets, cutIntoBuckets } from '../executions/buckets.ts';
import { checkWindow, type ExecutionWindow, type WindowRequest } from '../executions/window.ts';

/** Which books to open. */
export interface AccountsFilter {
  queue?: QueueName | undefined;
  producer?: string | undefined;
  /** `null`: records without a realm. Absent: all */
  realm?: string | null | undefined;
}

/** A window of whole minutes, with its buckets. */
export interface Scope {
  window: ExecutionWindow;
  buckets: Buckets;
  filter: AccountsFilter;
}

const minuteMs = 60_000;
const dayMs = 86_400_000;

/** The chunks of the ledger are kept for 30 days, and days are dropped whole. */
const longestMs = 29 * dayMs;

/**
 * The window that is asked for, in whole minutes: producers count by the minute. What is longer than 29 days, which the ledger keeps for
 * sure, begins so long before its end.
 *
 * @param bucketMs of the series; null chooses one. At least a minute
 * @throws UsageError if the window is empty, or the buckets are too many or too short
 */
export function toScope(request: WindowRequest, filter: AccountsFilter, bucketMs: number | null = null): Scope {
  const { since, until } = checkWindow(request);
  const untilMs = Math.ceil(until.getTime() / minuteMs) * minuteMs;
  const earliestMs = Math.max(0, untilMs - longestMs);
  const sinceMs = Math.max(earliestMs, Math.floor((since?.getTime() ?? 0) / minuteMs) * minuteMs);
  const window = { since: new Date(sinceMs), until: new Date(untilMs) };
  if (bucketMs !== null && bucketMs % minuteMs !== 0)
    throw new UsageError(`a bucket of ${bucketMs} ms is not a whole number of minutes`);
  const chosen = cutIntoBuckets(window, bucketMs);
  return { window, buckets: chosen.bucketMs < minuteMs ? cutIntoBuckets(window, minuteMs) : chosen, filter };
}

/** The beginning of the bucket of a minute, in ms since 1970. */
export function bucketOf({ buckets: { bucketMs } }: Pick<Scope, 'buckets'>, minute: number): number {
  return Math.floor((minute * minuteMs) / bucketMs) * bucketMs;
}

/**
 * The first record of a chunk decides on its day. A chunk may reach into the window from before: producers close one after a second, or
 * after as long as Redis is away.
 */
export const reachMs = 3 * 3_600_000;

/** That a row of any of the three tables is of the queue and the producer. To be appended to another condition. */
export function ofFilter({ queue, producer }: AccountsFilter): Prisma.Sql {
  const ofQueue = queue === undefined ? Prisma.empty : Prisma.sql` and queue = ${queue}`;
  return producer === undefined ? ofQueue : Prisma.sql`${ofQueue} and producer = ${producer}`;
}
