import type { SpillTiming } from './timing.ts';

/** What was seen of an owner. */
interface Watched {
  heartbeat: string;
  /** how long it has been watched since its last change */
  watchedMs: number;
  seenAtMs: number;
}

/**
 * Watches whether heartbeats change. Two clocks are never compared, since the clocks of hosts that share a directory may
 * differ, and a clock may be set back. What counts is how long we have watched, by our own clock. A period without looks
 * counts as two intervals at most: an owner that was suspended together with us could not send a heartbeat either.
 *
 * @param nowMs a monotonic clock
 */
export function createHeartbeatWatch(
  { silentAfterMs, lookMs }: SpillTiming,
  nowMs: () => number = () => performance.now(),
) {
  const watched = new Map<string, Watched>();
  return {
    /** Looks at an owner. @returns whether its last heartbeat is so long ago that it counts as dead */
    isSilent(owner: string, heartbeat: string): boolean {
      const seenAtMs = nowMs();
      const before = watched.get(owner);
      const goesOn = before === undefined || before.heartbeat !== heartbeat;
      const watchedMs = goesOn ? 0 : before.watchedMs + Math.min(seenAtMs - before.seenAtMs, lookMs * 2);
      watched.set(owner, { heartbeat, watchedMs, seenAtMs });
      return watchedMs >= silentAfterMs;
    },
    /** Forgets all other owners. */
    keepOnly(owners: readonly string[]): void {
      for (const owner of watched.keys()) if (!owners.includes(owner)) watched.delete(owner);
    },
  };
}
