/**
 * A clock for a producer, by which a minute begins just now. It reports to the ledger at each full minute, so no report of its own
 * is among the jobs that a test counts in the minute after. In ms since 1970, less than a minute late.
 */
export function aClockOfANewMinute(): () => number {
  const lateMs = Date.now() % 60_000;
  return () => Date.now() - lateMs;
}
