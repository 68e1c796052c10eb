/** Gives back what was taken; a second call does nothing. */
export type Release = () => void;

/** Lets work go on by the memory that it takes. */
export type ByteSemaphore = ReturnType<typeof createByteSemaphore>;

/**
 * Lets work in, in the order in which it came, while all of it together takes `maxBytes` at most. Work that takes more than
 * that is let in alone.
 */
export function createByteSemaphore(maxBytes: number) {
  let usedBytes = 0;
  const waiting: { bytes: number; enter(): void }[] = [];

  const letIn = (): void => {
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      if (usedBytes > 0 && usedBytes + next.bytes > maxBytes) return;
      waiting.shift();
      usedBytes += next.bytes;
      next.enter();
    }
  };

  return {
    /** Resolves when it may begin. */
    enter(bytes: number): Promise<Release> {
      return new Promise((resolve) => {
        let isIn = true;
        const leave = (): void => {
          if (!isIn) return;
          isIn = false;
          usedBytes -= bytes;
          letIn();
        };
        waiting.push({ bytes, enter: () => resolve(leave) });
        letIn();
      });
    },
  };
}
