import type { PartitionBounds } from '../../../shared/platform/postgres/partitions/partition-bounds.ts';
import {
  gapsIn,
  type PartitionUnit,
  type Span,
  spanOf,
} from '../../../shared/platform/postgres/partitions/partition-spans.ts';

/** Rows of the DEFAULT partition by the UTC day that they say of themselves. */
export interface DayRows {
  /** the beginning of the day, in ms since 1970 */
  dayMs: number;
  rows: number;
}

const earliestMs = Date.UTC(2000, 0, 1);
const dayMs = 86_400_000;

/** What may be moved, from the beginning of a span on. Before 2000, and further ahead than partitions are made, no time is plausible: those rows stay. */
export interface MovableTimes {
  fromMs: number;
  untilMs: number;
}

/** @param retentionDays 0 keeps for ever. What would be dropped at once is not moved: it goes by its storage */
export function movableTimes(
  nowMs: number,
  options: { retentionDays: number; daysAhead: number; unit: PartitionUnit },
): MovableTimes {
  const { retentionDays, daysAhead, unit } = options;
  const keepFromMs = retentionDays === 0 ? earliestMs : nowMs - retentionDays * dayMs;
  return {
    fromMs: spanOf(Math.max(earliestMs, keepFromMs), unit).fromMs,
    untilMs: nowMs + (daysAhead + 1) * dayMs,
  };
}

/**
 * The spans that get a partition since the DEFAULT one has rows of them, the newest first. Each is a day, week or month, or what
 * other partitions leave of it. One that is past the retention as a whole is left out.
 *
 * @param options.most no more than so many
 */
export function planPast(
  days: readonly DayRows[],
  partitions: readonly PartitionBounds[],
  options: { unit: PartitionUnit; times: MovableTimes; most: number },
): Span[] {
  const { unit, times, most } = options;
  const spans = new Map<number, Span>();
  for (const day of days) {
    const span = spanOf(day.dayMs, unit);
    if (day.rows > 0 && span.untilMs > times.fromMs && day.dayMs < times.untilMs) spans.set(span.fromMs, span);
  }
  return [...spans.values()]
    .sort((a, b) => b.fromMs - a.fromMs)
    .flatMap((span) => gapsIn(span, partitions))
    .slice(0, most);
}
