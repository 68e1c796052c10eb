/** Redis counts as away after so many failed sends in a row, or after such a silence while records wait for an answer. */
const failuresUntilAway = 2;
const silentUntilAwayMs = 3_000;

/**
 * Tells whether Redis takes records. Nothing is asked for it: while it is away there are records that a send tries again and
 * again, and the first that arrives says that it is back.
 *
 * @param now ms of a clock that only goes forward
 */
export function createAvailability(now: () => number) {
  let failures = 0;
  let quietSince = now();
  return {
    /** The first record waits, or one has arrived. */
    progressed(): void {
      failures = 0;
      quietSince = now();
    },
    failed(): void {
      failures += 1;
    },
    /** @param pending records that are on their way */
    isAway(pending: number): boolean {
      return pending > 0 && (failures >= failuresUntilAway || now() - quietSince > silentUntilAwayMs);
    },
  };
}
