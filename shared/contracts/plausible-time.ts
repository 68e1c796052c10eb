/** Nothing that this system stores is older than this. Seconds that were taken for milliseconds are in January 1970. */
const earliest = '2000-01-01';
const earliestMs = Date.parse(earliest);

/** Clocks are wrong by minutes, time zones by hours. */
const aheadMs = 86_400_000;

/** Whether a time, in ms since 1970, may be right. */
export function isPlausible(ms: number, nowMs: number): boolean {
  return ms >= earliestMs && ms <= nowMs + aheadMs;
}

/**
 * Up to when a time can be: a day after `nowMs`. ISO 8601 in UTC, so that it may be compared with a record's time as text,
 * which costs next to nothing.
 */
export function latestPlausible(nowMs: number): string {
  return new Date(nowMs + aheadMs).toISOString();
}

/**
 * Why a time cannot be, as a note on its record says it; null when it may be right. The time is stored as it is all the same.
 *
 * @param iso ISO 8601 in UTC, of the years 0 to 9999
 */
export function findImplausibility(iso: string, latest: string): string | null {
  if (iso < earliest) return `${iso} is implausible, before 2000; were seconds given for milliseconds?`;
  if (iso > latest) return `${iso} is implausible, more than a day ahead`;
  return null;
}
