/** What a sender may send in a second. */
export interface QuotaLimits {
  recordsPerSecond: number | null;
  bytesPerSecond: number | null;
}

/** What may be saved up. */
const burstSeconds = 2;

/**
 * Counts what one sender sends. A body is let in as long as nothing is owed, and is then read to its end, whatever its size: cut
 * off in the middle it would come again, and be cut off again. What it took beyond the quota is waited for before the next one.
 *
 * @param now ms of a clock that only goes forward
 */
export function createQuota(now: () => number) {
  const records = createBucket(now);
  const bytes = createBucket(now);
  return {
    /** How long to wait before the next body, in s; 0: not at all. */
    waitSeconds({ recordsPerSecond, bytesPerSecond }: QuotaLimits): number {
      return Math.max(records.waitSeconds(recordsPerSecond), bytes.waitSeconds(bytesPerSecond));
    },
    tookRecords: records.take,
    tookBytes: bytes.take,
  };
}

export type Quota = ReturnType<typeof createQuota>;

function createBucket(now: () => number) {
  /** above 0: owed; below: saved up */
  let owed = Number.NEGATIVE_INFINITY;
  let at = now();
  return {
    take(amount: number): void {
      owed += amount;
    },
    waitSeconds(perSecond: number | null): number {
      const seconds = (now() - at) / 1_000;
      at = now();
      if (perSecond === null) {
        owed = Number.NEGATIVE_INFINITY;
        return 0;
      }
      owed = Math.max(owed - seconds * perSecond, -burstSeconds * perSecond);
      return owed < 0 ? 0 : Math.max(owed / perSecond, 1 / perSecond);
    },
  };
}
