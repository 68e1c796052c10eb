/** What is known about a life from its reports. Times in ms since 1970 by the clock of the database. */
export interface LifeReports {
  /** of the last one; null: none has come */
  lastAtMs: number | null;
  /** its last report said that it is the last */
  isFinal: boolean;
  /** when a worker last took a chunk of it; null: never within what was read */
  lastChunkAtMs: number | null;
}

/** `alive`: it reports. `closed`: it said goodbye. `silent`: it did not, and has not reported for a while. */
export type Standing = 'alive' | 'closed' | 'silent';

/** A producer reports every minute while it has something to report. Two reports may be lost. */
export const silentAfterMs = 180_000;

export function standingOf({ lastAtMs, isFinal, lastChunkAtMs }: LifeReports, nowMs: number): Standing {
  if (isFinal) return 'closed';
  const heardMs = Math.max(lastAtMs ?? Number.NEGATIVE_INFINITY, lastChunkAtMs ?? Number.NEGATIVE_INFINITY);
  return nowMs - heardMs > silentAfterMs ? 'silent' : 'alive';
}
