import { overlaps, type PartitionBounds } from './partition-bounds.ts';

/** What a partition is to hold: a day of a partitioned table, in UTC, or what else its unit is, or the free part of that. */
export interface DayPartition {
  name: string;
  /** ISO 8601; included */
  from: string;
  /** ISO 8601; excluded */
  until: string;
}

/** How much time a partition holds: a day, a week from Monday on (ISO 8601), or a month, in UTC. */
export const partitionUnits = ['day', 'week', 'month'] as const;
export type PartitionUnit = (typeof partitionUnits)[number];

/** A span of time, in ms since 1970. */
export interface Span {
  fromMs: number;
  /** excluded */
  untilMs: number;
}

const dayMs = 86_400_000;

/** The day, week or month that an instant lies in. */
export function spanOf(ms: number, unit: PartitionUnit): Span {
  const day = Math.floor(ms / dayMs) * dayMs;
  const date = new Date(day);
  if (unit === 'day') return { fromMs: day, untilMs: day + dayMs };
  if (unit === 'week') {
    const monday = day - ((date.getUTCDay() + 6) % 7) * dayMs;
    return { fromMs: monday, untilMs: monday + 7 * dayMs };
  }
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  return { fromMs: Date.UTC(year, month, 1), untilMs: Date.UTC(year, month + 1, 1) };
}

/** The spans that follow on each other from the one of `fromMs` to the one of `lastMs`. */
export function spansBetween(fromMs: number, lastMs: number, unit: PartitionUnit): Span[] {
  const spans: Span[] = [];
  for (let ms = fromMs; ms <= lastMs; ) {
    const span = spanOf(ms, unit);
    spans.push(span);
    ms = span.untilMs;
  }
  return spans;
}

/** The parts of a span that none of the partitions but the DEFAULT one takes, in order. */
export function gapsIn({ fromMs, untilMs }: Span, partitions: readonly PartitionBounds[]): Span[] {
  const taken = partitions
    .filter((bounds) => bounds.kind === 'range')
    .filter((bounds) => overlaps(bounds, fromMs, untilMs))
    .sort((a, b) => a.fromMs - b.fromMs);
  const gaps: Span[] = [];
  let atMs = fromMs;
  for (const range of taken) {
    if (range.fromMs > atMs) gaps.push({ fromMs: atMs, untilMs: range.fromMs });
    atMs = Math.max(atMs, range.untilMs);
  }
  return atMs < untilMs ? [...gaps, { fromMs: atMs, untilMs }] : gaps;
}

/** What a partition of a span is called: `20260611`, `2026w24`, `202606`, or its two ends when it is none of these. */
export function nameOfSpan(span: Span): string {
  const isWhole = (unit: PartitionUnit): boolean => spanOf(span.fromMs, unit).untilMs === span.untilMs;
  const starts = (unit: PartitionUnit): boolean => spanOf(span.fromMs, unit).fromMs === span.fromMs;
  if (isWhole('day') && starts('day')) return nameOfInstant(span.fromMs);
  if (isWhole('week') && starts('week')) return nameOfWeek(span.fromMs);
  if (isWhole('month') && starts('month')) return nameOfInstant(span.fromMs).slice(0, 6);
  return `${nameOfInstant(span.fromMs)}_${nameOfInstant(span.untilMs)}`;
}

/** `20260611`, with the time of the day where it is not midnight: `20260611t0630`, down to the ms where it has to be. */
function nameOfInstant(ms: number): string {
  const [day = '', time = ''] = new Date(ms)
    .toISOString()
    .replaceAll(/[-:.Z]/g, '')
    .split('T');
  const shown = time.replace(/(?:00)?000$/, '');
  return shown === '0000' ? day : `${day}t${shown}`;
}

/** The year of an ISO week is that of its Thursday. */
function nameOfWeek(mondayMs: number): string {
  const year = new Date(mondayMs + 3 * dayMs).getUTCFullYear();
  const first = spanOf(Date.UTC(year, 0, 4), 'week').fromMs;
  return `${year}w${String((mondayMs - first) / (7 * dayMs) + 1).padStart(2, '0')}`;
}
