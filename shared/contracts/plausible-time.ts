/** Nothing that this system stores is older. Seconds mistaken for milliseconds are in January 1970. */
const earliest = '2000-01-01';
const earliestMs = Date.parse(earliest);

/** Clocks are wrong by minutes, time zones by hours. */
const aheadMs = 86_400_000;

/** Whether a time, in ms since 1970, is plausible. */
export function isPlausible(ms: number, nowMs: number): boolean {
  return ms >= earliestMs && ms <= nowMs + aheadMs;
}

/**
 * The latest plausible time: a day after `nowMs`. ISO 8601 in UTC, so that it can be compared with a record's time as text,
 * which costs next to nothing.
 */
export function latestPlausible(nowMs: number): string {
  return new Date(nowMs + aheadMs).toISOString();
}

/**
 * Why a time is implausible, as a note on its record; null if it is plausible. The time is stored unchanged in any case.
 *
 * @param iso ISO 8601 in UTC, of the years 0 to 9999
 */
export function findImplausibility(iso: string, latest: string): string | null {
  if (iso < earliest) return `${iso} is implausible, before 2000; were seconds given for milliseconds?`;
  if (iso > latest) return `${iso} is implausible, more than a day ahead`;
  return null;
}
