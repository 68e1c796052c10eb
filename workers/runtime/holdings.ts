import type { Release } from './byte-semaphore.ts';

/** What one of several has taken of what they share. */
export type Holdings = ReturnType<typeof createHoldings>;

/**
 * Remembers what is held, so that all of it can be given back in its holder's name: one that waits for a server that does not
 * answer would keep it from the others.
 */
export function createHoldings() {
  const held = new Set<Release>();
  return {
    /** @returns gives it back, unless that was done already */
    add(release: Release): Release {
      held.add(release);
      return () => {
        if (held.delete(release)) release();
      };
    },
    giveBackAll(): void {
      const all = [...held];
      held.clear();
      for (const release of all) release();
    },
  };
}
