/** Batches that are stored by the statement after the first COPY that failed, and at most. */
const [firstPause, longestPause] = [1, 256];

/**
 * Decides which batches are tried by COPY. One that fails costs its work twice, as the statement then stores the batch. So after each
 * failure in a row twice as many batches go by the statement at once: where records are often there already, or PostgreSQL
 * refuses every COPY, the attempts cost next to nothing.
 */
export function createCopyBackoff() {
  let pause = 0;
  let left = 0;

  return {
    /** Call it once for each batch. */
    mayTry(): boolean {
      if (left === 0) return true;
      left -= 1;
      return false;
    },
    succeeded(): void {
      pause = 0;
      left = 0;
    },
    failed(): void {
      pause = pause === 0 ? firstPause : Math.min(longestPause, 2 * pause);
      left = pause;
    },
  };
}
