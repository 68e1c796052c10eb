import type { Release } from './byte-semaphore.ts';

/** Places for jobs under way, which several workers share. */
export type Slots = ReturnType<typeof createSlots>;

/** One worker's part in them. */
export interface SlotShare {
  /** Whether there is a slot that nobody else comes first for. */
  isFree(): boolean;
  /** Takes a slot, whether there is one or not: a job that is here already takes one in any case. */
  take(): Release;
  /** Stands in line, so that the others leave the next slot. Each time is to be ended. */
  beginToWait(): void;
  endWait(): void;
  /** Whether the slot of a job that is done may go to this worker's next one: not if another worker has waited with less. */
  mayKeep(): boolean;
}

interface Sharer {
  taken: number;
  waits: number;
  onTurn(): void;
}

/**
 * Shares slots fairly: a slot that becomes free goes to who has the fewest of those who wait, and among them to who has waited
 * longest. So one with much to do has all of them as long as nobody else needs one, and leaves the others their share as its
 * jobs end. Who waits for nothing keeps nothing.
 *
 * @param count above 0
 */
export function createSlots(count: number) {
  let free = count;
  /** in the order in which they came */
  const waiting = new Set<Sharer>();

  const first = (): Sharer | undefined => {
    let found: Sharer | undefined;
    for (const one of waiting) if (found === undefined || one.taken < found.taken) found = one;
    return found;
  };
  const tellFirst = (): void => {
    if (free > 0) first()?.onTurn();
  };

  return {
    /** @param onTurn told when there may be a slot for who stands in line */
    join(onTurn: () => void): SlotShare {
      const own: Sharer = { taken: 0, waits: 0, onTurn };
      return {
        isFree() {
          if (free <= 0) return false;
          const next = first();
          return next === undefined || next === own || next.taken > own.taken;
        },
        take() {
          let isTaken = true;
          free -= 1;
          own.taken += 1;
          // Who waits for more stands behind the others again.
          if (waiting.delete(own)) waiting.add(own);
          return () => {
            if (!isTaken) return;
            isTaken = false;
            free += 1;
            own.taken -= 1;
            tellFirst();
          };
        },
        beginToWait() {
          own.waits += 1;
          waiting.add(own);
        },
        endWait() {
          own.waits -= 1;
          if (own.waits === 0) waiting.delete(own);
          // Of several that are free, the next one is for the next in line.
          tellFirst();
        },
        mayKeep() {
          const next = first();
          return next === undefined || next === own || (next.taken > 0 && next.taken + 1 >= own.taken);
        },
      };
    },
  };
}
