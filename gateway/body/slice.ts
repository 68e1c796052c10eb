import { setImmediate as nextTurn } from 'node:timers/promises';

/** Work in one turn of the event loop; other senders wait as long. */
const sliceMs = 8;

/** Parts long work, so that others have a turn in between. */
export interface Slice {
  /** Whether it is time to let others have a turn. */
  readonly isOver: boolean;
  next(): Promise<void>;
}

export function createSlice(): Slice {
  let endsAt = performance.now() + sliceMs;
  return {
    get isOver() {
      return performance.now() >= endsAt;
    },
    async next() {
      await nextTurn();
      endsAt = performance.now() + sliceMs;
    },
  };
}
