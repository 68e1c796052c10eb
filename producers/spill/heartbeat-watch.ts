import type { SpillTiming } from './timing.ts';

/** What was seen of one owner. */
interface Watched {
  sign: string;
  /** for how long it has been watched since it last changed */
  watchedMs: number;
  seenAtMs: number;
}

/**
 * Watches whether signs of life change. Two clocks are never compared: hosts that share a directory may be set differently, and
 * a clock may be set back. What counts is the time that we have watched ourselves, by our own clock. A stretch in which we did
 * not look counts as two looks at most: who was suspended together with us has had no chance to give a sign either.
 *
 * @param nowMs a clock that only goes forward
 */
export function createHeartbeatWatch(
  { silentAfterMs, lookMs }: SpillTiming,
  nowMs: () => number = () => performance.now(),
) {
  const watched = new Map<string, Watched>();
  return {
    /** Takes a look at an owner. @returns whether it has given no sign for so long that it counts as dead */
    isSilent(owner: string, sign: string): boolean {
      const seenAtMs = nowMs();
      const before = watched.get(owner);
      const goesOn = before === undefined || before.sign !== sign;
      const watchedMs = goesOn ? 0 : before.watchedMs + Math.min(seenAtMs - before.seenAtMs, lookMs * 2);
      watched.set(owner, { sign, watchedMs, seenAtMs });
      return watchedMs >= silentAfterMs;
    },
    /** Forgets all others. */
    keepOnly(owners: readonly string[]): void {
      for (const owner of watched.keys()) if (!owners.includes(owner)) watched.delete(owner);
    },
  };
}
