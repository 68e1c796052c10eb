import type { SpillTiming } from './timing.ts';

/** What was seen of one owner. */
interface Watched {
  heartbeat: string;
  /** for how long it has been watched since it last changed */
  watchedMs: number;
  seenAtMs: number;
}

/**
 * Watches whether heartbeats change. Two clocks are never compared: hosts that share a directory may be set differently, and
 * a clock may be set back. What counts is the time that we have watched ourselves, by our own clock. A stretch in which we did
 * not look counts as two looks at most: who was suspended together with us has had no chance to send a heartbeat either.
 *
 * @param nowMs a clock that only goes forward
 */
export function createHeartbeatWatch(
  { silentAfterMs, lookMs }: SpillTiming,
  nowMs: () => number = () => performance.now(),
) {
  const watched = new Map<string, Watched>();
  return {
    /** Takes a look at an owner. @returns whether it has sent no heartbeat for so long that it counts as dead */
    isSilent(owner: string, heartbeat: string): boolean {
      const seenAtMs = nowMs();
      const before = watched.get(owner);
      const goesOn = before === undefined || before.heartbeat !== heartbeat;
      const watchedMs = goesOn ? 0 : before.watchedMs + Math.min(seenAtMs - before.seenAtMs, lookMs * 2);
      watched.set(owner, { heartbeat, watchedMs, seenAtMs });
      return watchedMs >= silentAfterMs;
    },
    /** Forgets all others. */
    keepOnly(owners: readonly string[]): void {
      for (const owner of watched.keys()) if (!owners.includes(owner)) watched.delete(owner);
    },
  };
}
