import { UsageError } from '../../shared/platform/errors.ts';
import type { ExecutionWindow } from './window.ts';

/** How a window is divided: every bucket begins at a whole multiple of its length, counted from 1970 in UTC. */
export interface Buckets {
  /** whole seconds, in ms */
  bucketMs: number;
  /** the beginning of the first bucket, in ms since 1970; not after the window's */
  firstMs: number;
  count: number;
}

/** More than a chart has pixels for. Bounds the size of an answer. */
export const maxBuckets = 500;

/** The most buckets that are chosen by default: with more, each has fewer rows for its percentiles. */
const wishedBuckets = 60;

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const lengths = [
  ...[1, 5, 10, 30].map((n) => n * second),
  ...[1, 5, 15, 30].map((n) => n * minute),
  ...[1, 3, 6, 12].map((n) => n * hour),
  ...[1, 7, 30, 365].map((n) => n * day),
];

/**
 * Divides a window into buckets.
 *
 * @param bucketMs of one bucket; null chooses the shortest usual length that gives at most 60 (24 hours: 30 minutes)
 * @throws UsageError if it is not a whole number of seconds, or gives more than 500 buckets
 */
export function cutIntoBuckets(window: ExecutionWindow, bucketMs: number | null = null): Buckets {
  if (bucketMs === null) return bucketsOf(window, chooseLength(window));
  if (!Number.isSafeInteger(bucketMs) || bucketMs < second || bucketMs % second !== 0) {
    throw new UsageError(`a bucket of ${bucketMs} ms is not a whole number of seconds`);
  }
  const buckets = bucketsOf(window, bucketMs);
  if (buckets.count > maxBuckets) {
    throw new UsageError(
      `${buckets.count} buckets are too many; accepted: up to ${maxBuckets}, so choose a longer bucket`,
    );
  }
  return buckets;
}

function chooseLength(window: ExecutionWindow): number {
  const fitting = lengths.find((length) => bucketsOf(window, length).count <= wishedBuckets);
  return fitting ?? 365 * day * Math.ceil(bucketsOf(window, 365 * day).count / wishedBuckets);
}

function bucketsOf({ since, until }: ExecutionWindow, bucketMs: number): Buckets {
  const first = Math.floor(since.getTime() / bucketMs);
  return { bucketMs, firstMs: first * bucketMs, count: Math.ceil(until.getTime() / bucketMs) - first };
}

/** The window of the bucket at an index: the first begins and the last ends where the whole window does. */
export function windowOfBucket({ bucketMs, firstMs }: Buckets, whole: ExecutionWindow, index: number): ExecutionWindow {
  const fromMs = firstMs + index * bucketMs;
  return {
    since: new Date(Math.max(fromMs, whole.since.getTime())),
    until: new Date(Math.min(fromMs + bucketMs, whole.until.getTime())),
  };
}
