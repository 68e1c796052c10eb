/** When so many records turn out dead that the cause is most likely not in the records. */
export interface DeadRatioLimits {
  /** share of recent records, above 0; 1 switches the guard off */
  maxShare: number;
  /** below so many recent records nothing is concluded */
  minRecords: number;
}

/** Recent records: each block is forgotten as a whole. */
const blocks = 10;

/**
 * Watches the share of dead records among the last ones, at least `minRecords` of them. One bad producer makes some dead
 * letters; a bad deployment makes nothing but: then it is better to stop and ask than to put a day aside.
 *
 * @see https://getsentry.github.io/arroyo/ the same idea for Kafka consumers
 */
export function createDeadRatioGuard({ maxShare, minRecords }: DeadRatioLimits) {
  const blockRecords = Math.max(1, Math.ceil(minRecords / blocks));
  let window: { records: number; dead: number }[] = [{ records: 0, dead: 0 }];

  return {
    /** Takes note of settled records, and says whether the share is beyond the limit now. */
    note(records: number, dead: number): boolean {
      const current = window.at(-1);
      if (current === undefined) return false;
      current.records += records;
      current.dead += dead;
      const total = window.reduce((sum, block) => sum + block.records, 0);
      const totalDead = window.reduce((sum, block) => sum + block.dead, 0);
      if (current.records >= blockRecords) window = [...window, { records: 0, dead: 0 }].slice(-blocks - 1);
      return total >= minRecords && totalDead > total * maxShare;
    },

    /** Forgets records that were noted and are not settled after all: they will be noted when they are. */
    takeBack(records: number, dead: number): void {
      let [recordsLeft, deadLeft] = [records, dead];
      // They may be in a block that has been closed since, or be forgotten already.
      for (const block of window.toReversed()) {
        const [ofRecords, ofDead] = [Math.min(recordsLeft, block.records), Math.min(deadLeft, block.dead)];
        block.records -= ofRecords;
        block.dead -= ofDead;
        recordsLeft -= ofRecords;
        deadLeft -= ofDead;
      }
    },
  };
}
