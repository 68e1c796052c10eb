/** Counts the bodies that are being read or wait for Redis. */
export function createBodiesInProgress() {
  let count = 0;
  return {
    get count(): number {
      return count;
    },
    begin(): { end(): void } {
      count += 1;
      let ended = false;
      return {
        end() {
          if (!ended) count -= 1;
          ended = true;
        },
      };
    },
  };
}

export type BodiesInProgress = ReturnType<typeof createBodiesInProgress>;
