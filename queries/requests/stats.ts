import { UsageError } from '../../shared/platform/errors.ts';
import type { Database } from '../../shared/platform/postgres/database.ts';
import { type Buckets, cutIntoBuckets, windowOfBucket } from '../executions/buckets.ts';
import { inSnapshot, type Snapshot } from '../executions/snapshot.ts';
import type { ExecutionWindow, WindowRequest } from '../executions/window.ts';
import { countByKey, countByTime, otherGroups, type RequestCounts } from './counts.ts';
import type { RequestDimension, RequestOrder } from './dimensions.ts';
import {
  type CountedRequests,
  nothingCounted,
  type Share,
  toCounted,
  toCountedByPart,
  toFailureShare,
} from './figures.ts';
import { type RequestSummary, toListStatement } from './list-requests.ts';
import { type RequestScope, type RequestSubject, resolveRequestWindow } from './scope.ts';
import { type RequestTimes, readTimes, type ShortPercentiles, type TimesRead, toShort } from './times.ts';

/** Figures of requests. */
export interface RequestFigures extends CountedRequests, RequestTimes {
  /** of those that have completed or failed */
  failureRate: Share;
}

/** A bucket of time. Buckets without requests are included. */
export interface RequestBucket extends ExecutionWindow, CountedRequests {
  /** of completed requests */
  latencyMs: ShortPercentiles;
  firstTokenMs: ShortPercentiles;
}

/** The greatest groups, and the others counted together. */
export interface RequestGroups {
  by: RequestDimension;
  sort: RequestOrder;
  /** key null: the requests that have none */
  groups: (RequestFigures & { key: string | null })[];
  others: CountedRequests & { groups: number };
}

/** Figures of requests over a window, and how they developed over time. */
export interface RequestStats {
  /** the window as it was interpreted */
  window: ExecutionWindow;
  summary: RequestFigures;
  series: { bucketMs: number; buckets: RequestBucket[] };
  /** the ten newest failures */
  lastFailures: RequestSummary[];
  groups: RequestGroups | null;
}

/** A question about requests. */
export interface RequestStatsQuestion {
  window: WindowRequest;
  subject?: RequestSubject;
  /** null: no groups. @default null */
  by?: RequestDimension | null;
  /** @default requests */
  sort?: RequestOrder;
  /** the number of groups to list, 1 to 50. @default 10 */
  top?: number;
  /** of the series, whole seconds; null chooses one, see cutIntoBuckets. @default null */
  bucketMs?: number | null;
  /** of one statement. @default the database's own timeout */
  timeoutMs?: number;
}

const maxTop = 50;
const listedFailures = 10;

/**
 * Figures of the requests that arrived within a window, from one snapshot. Bodies are not read.
 *
 * @throws UsageError if the window, the bucket or `top` is invalid
 */
export async function readRequestStats(database: Database, question: RequestStatsQuestion): Promise<RequestStats> {
  const { subject = {}, by = null, sort = 'requests', top = 10, bucketMs = null, timeoutMs } = question;
  if (!Number.isInteger(top) || top < 1 || top > maxTop)
    throw new UsageError(`top is ${top}; accepted: 1 to ${maxTop}`);
  return inSnapshot(
    database,
    async (snapshot) => {
      const window = await resolveRequestWindow(snapshot, subject, question.window);
      const scope = { window, subject };
      const buckets = cutIntoBuckets(window, bucketMs);
      const counts = await countByTime(snapshot, scope, buckets);
      const grouped = by === null ? null : await countByKey(snapshot, scope, { by, sort, top });
      const groups = by === null || grouped === null ? null : { by, keys: grouped.keys.map(({ key }) => key) };
      const times = await readTimes(snapshot, scope, { buckets, groups });
      const parts = grouped === null ? null : toCountedByPart(grouped);
      return {
        window,
        summary: toFigures(toCounted(counts, null), times.all),
        series: { bucketMs: buckets.bucketMs, buckets: toBuckets(window, buckets, counts, times) },
        lastFailures: await readLastFailures(snapshot, scope),
        groups:
          by === null || grouped === null
            ? null
            : {
                by,
                sort,
                groups: grouped.keys.map(({ part, key }, index) => ({
                  key,
                  ...toFigures(parts?.get(part) ?? nothingCounted, times.groups[index] ?? times.all),
                })),
                others: {
                  groups: grouped.groups - grouped.keys.length,
                  ...(parts?.get(otherGroups) ?? nothingCounted),
                },
              },
      };
    },
    timeoutMs,
  );
}

/** The figures without series and groups, within a given snapshot. @throws UsageError if the window is empty */
export async function readRequestFigures(snapshot: Snapshot, scope: RequestScope): Promise<RequestFigures> {
  const counts = await countByTime(snapshot, scope, null);
  const { all } = await readTimes(snapshot, scope, { buckets: null, groups: null });
  return toFigures(toCounted(counts, null), all);
}

function toFigures(counted: CountedRequests, times: RequestTimes): RequestFigures {
  return { ...counted, failureRate: toFailureShare(counted), ...times };
}

function toBuckets(
  window: ExecutionWindow,
  buckets: Buckets,
  counts: RequestCounts,
  times: TimesRead,
): RequestBucket[] {
  const countedAt = toCountedByPart(counts);
  return Array.from({ length: buckets.count }, (_, index) => {
    const ms = buckets.firstMs + index * buckets.bucketMs;
    const { latencyMs, firstTokenMs } = times.buckets.get(ms) ?? {};
    return {
      ...windowOfBucket(buckets, window, index),
      ...(countedAt.get(String(ms)) ?? nothingCounted),
      latencyMs: latencyMs ?? toShort(undefined),
      firstTokenMs: firstTokenMs ?? toShort(undefined),
    };
  });
}

/** Those that arrived last of those that failed. */
async function readLastFailures(snapshot: Snapshot, { window, subject }: RequestScope): Promise<RequestSummary[]> {
  const filter = { ...subject, state: 'failed' as const, from: window.since, until: window.until };
  const statement = toListStatement(filter, listedFailures, null);
  if (statement === null) return [];
  const rows = await snapshot.$queryRaw<(RequestSummary & { part: unknown })[]>(statement);
  return rows.map(({ part, ...request }) => request);
}
