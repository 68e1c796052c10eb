/** Of what passes for a minute, in ms. */
const shortMinuteMs = 60;

/**
 * A clock for a producer: each 60 ms are a minute, of which only the last 30 ms pass, so that its timers for the next full minute
 * fire as soon. In ms since 1970.
 */
export function aClockOfShortMinutes(): () => number {
  const startMinute = Math.floor(Date.now() / 60_000);
  const startMs = performance.now();
  return () => {
    const passedMs = performance.now() - startMs;
    const minute = startMinute + Math.floor(passedMs / shortMinuteMs);
    return minute * 60_000 + 59_970 + Math.floor((passedMs % shortMinuteMs) / 2);
  };
}
