import type { PartitionBounds } from '../../shared/platform/postgres/partitions/partition-bounds.ts';

/** A span of time in ms since 1970, excluding its end; null: unbounded on that side. */
export interface TimeSlice {
  fromMs: number | null;
  untilMs: number | null;
}

/** How many partitions a statement may lock, each with its indexes. A server's lock table has room for a few thousand locks. */
export const partitionsAtOnce = 16;

/** The time in a UUIDv7, in ms since 1970; null for any other id. */
export function instantOfUuid(id: string): number | null {
  const [, high, low] = /^([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab]/i.exec(id) ?? [];
  const ms = high === undefined ? Number.NaN : Number.parseInt(`${high}${low}`, 16);
  return ms < Date.UTC(9_999, 0) ? ms : null;
}

/**
 * All of time in slices, newest first. Each slice touches about `atOnce` partitions and the DEFAULT one. The slices are
 * adjacent, so that every row is in one of them, whichever partition it is in.
 */
export function timeSlices(partitions: readonly PartitionBounds[], atOnce: number): TimeSlice[] {
  const begins = partitions
    .flatMap((bounds) => (bounds.kind === 'range' && Number.isFinite(bounds.fromMs) ? [bounds.fromMs] : []))
    .sort((a, b) => b - a);
  const edges = begins.filter((_, index) => index % atOnce === atOnce - 1);
  const from = [...edges, null];
  return from.map((fromMs, index) => ({ fromMs, untilMs: from[index - 1] ?? null }));
}
