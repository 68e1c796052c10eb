import type { Buckets } from '../executions/buckets.ts';
import type { ExecutionWindow } from '../executions/window.ts';

/** A stretch of time within one bucket, in which no price changes. Times are in ms since 1970. */
export interface Part {
  fromMs: number;
  /** the beginning of its bucket; null without buckets */
  bucketMs: number | null;
  /** the time at which the prices of its requests are looked for: the beginning of the window, or the last change of any price */
  pricedAtMs: number;
}

/**
 * Cuts a window where a bucket begins and where a price changes. So requests of a part can be counted together, and what a sum of tokens
 * costs is the sum of their costs.
 *
 * @param changesMs within the window, in order
 */
export function cutIntoParts(
  { since }: ExecutionWindow,
  buckets: Buckets | null,
  changesMs: readonly number[],
): Part[] {
  const sinceMs = since.getTime();
  const { firstMs, bucketMs, count } = buckets ?? { firstMs: 0, bucketMs: 0, count: 0 };
  const begins = Array.from({ length: count }, (_, index) => firstMs + index * bucketMs);
  const edges = new Set([sinceMs, ...begins.slice(1), ...changesMs]);
  const [isBegin, isChange] = [new Set(begins), new Set(changesMs)];
  let part: Part = { fromMs: sinceMs, bucketMs: begins[0] ?? null, pricedAtMs: sinceMs };
  return [...edges]
    .sort((a, b) => a - b)
    .map((fromMs) => {
      part = {
        fromMs,
        bucketMs: isBegin.has(fromMs) ? fromMs : part.bucketMs,
        pricedAtMs: isChange.has(fromMs) ? fromMs : part.pricedAtMs,
      };
      return part;
    });
}
