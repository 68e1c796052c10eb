/** How sessions send heartbeats, and how others watch them. All in ms. */
export interface SpillTiming {
  /** how often a session that has a directory changes the time of its lock */
  heartbeatMs: number;
  /** a session counts as dead if others have watched its lock for so long without a change */
  silentAfterMs: number;
  /** how often others look */
  lookMs: number;
}

export const spillTiming: SpillTiming = { heartbeatMs: 5_000, silentAfterMs: 30_000, lookMs: 10_000 };
