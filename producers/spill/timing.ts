/** How sessions show that they go on, and how that is watched. All in ms. */
export interface SpillTiming {
  /** how often a session changes the time of its lock, while it has a directory */
  heartbeatMs: number;
  /** a lock that others have watched for so long without a change is nobody's */
  silentAfterMs: number;
  /** how often others look */
  lookMs: number;
}

export const spillTiming: SpillTiming = { heartbeatMs: 5_000, silentAfterMs: 30_000, lookMs: 10_000 };
