import { UsageError } from '../../shared/platform/errors.ts';
import type { Database } from '../../shared/platform/postgres/database.ts';
import { type Buckets, cutIntoBuckets, windowOfBucket } from '../executions/buckets.ts';
import { inSnapshot, type Snapshot } from '../executions/snapshot.ts';
import type { ExecutionWindow, WindowRequest } from '../executions/window.ts';
import { otherGroups, parseKey } from './counts.ts';
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
import { type FigureRows, readFigureRows } from './read-figures.ts';
import { type RequestScope, type RequestSubject, resolveRequestWindow } from './scope.ts';
import { type RequestTimes, type ShortPercentiles, toBucketTimes, toShort, toTimes } from './times.ts';

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
      const rows = await readFigureRows(snapshot, scope, { buckets, groups: by === null ? null : { by, sort, top } });
      return {
        window,
        summary: toFigures(toCounted(rows, null), toTimes(rows.times)),
        series: { bucketMs: buckets.bucketMs, buckets: toBuckets(window, buckets, rows) },
        lastFailures: await readLastFailures(snapshot, scope),
        groups: by === null ? null : { by, sort, ...toGroups(rows) },
      };
    },
    timeoutMs,
  );
}

/** The figures without series and groups, within a given snapshot. @throws UsageError if the window is empty */
export async function readRequestFigures(snapshot: Snapshot, scope: RequestScope): Promise<RequestFigures> {
  const rows = await readFigureRows(snapshot, scope, { buckets: null, groups: null });
  return toFigures(toCounted(rows, null), toTimes(rows.times));
}

function toFigures(counted: CountedRequests, times: RequestTimes): RequestFigures {
  return { ...counted, failureRate: toFailureShare(counted), ...times };
}

function toBuckets(window: ExecutionWindow, buckets: Buckets, rows: FigureRows): RequestBucket[] {
  const countedAt = toCountedByPart(rows);
  const timesAt = toBucketTimes(rows.bucketTimes);
  return Array.from({ length: buckets.count }, (_, index) => {
    const ms = buckets.firstMs + index * buckets.bucketMs;
    const { latencyMs, firstTokenMs } = timesAt.get(ms) ?? {};
    return {
      ...windowOfBucket(buckets, window, index),
      ...(countedAt.get(String(ms)) ?? nothingCounted),
      latencyMs: latencyMs ?? toShort(undefined),
      firstTokenMs: firstTokenMs ?? toShort(undefined),
    };
  });
}

function toGroups({
  groupTallies = [],
  groupAmounts = [],
  keys = [],
  groups = 0,
  groupTimes = [],
}: FigureRows): Pick<RequestGroups, 'groups' | 'others'> {
  const counted = toCountedByPart({ tallies: groupTallies, amounts: groupAmounts });
  return {
    groups: keys.map((text, index) => ({
      key: parseKey(text),
      ...toFigures(counted.get(text) ?? nothingCounted, toTimes(groupTimes.filter(({ place }) => place === index + 1))),
    })),
    others: { groups: groups - keys.length, ...(counted.get(otherGroups) ?? nothingCounted) },
  };
}

/** Those that arrived last of those that failed. */
async function readLastFailures(snapshot: Snapshot, { window, subject }: RequestScope): Promise<RequestSummary[]> {
  const filter = { ...subject, state: 'failed' as const, from: window.since, until: window.until };
  const statement = toListStatement(filter, listedFailures, null);
  if (statement === null) return [];
  const rows = await snapshot.$queryRaw<(RequestSummary & { part: unknown })[]>(statement);
  return rows.map(({ part, ...request }) => request);
}
