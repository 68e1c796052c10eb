import type { Publisher } from './outbox/lobby-place.ts';

/** What is known of the reading of the stream, for probes and metrics. */
export interface HealthView {
  isLeader: boolean;
  /** entries that were not read yet; null when that is not known */
  behind: number | null;
  /** id of the oldest entry known that is not dealt with; null when there is none */
  oldestId: string | null;
  /** the server's time since 1970, less that of the clock that never jumps, in ms */
  serverAheadMs: number | null;
  heldEntries: number;
  /** number of the last snapshot that was published; null when that is not known */
  publishedSeq: number | null;
  /** another consumer that publishes to the lobby's stream, so that this one may not; null when there is none */
  otherPublisher: Publisher | null;
  commits: number;
  /** which server does not answer, or refuses; null when both do their work */
  trouble: 'PostgreSQL' | 'Redis' | null;
}

/** A worker that does not read the stream. */
export const standby: Omit<HealthView, 'commits' | 'trouble'> = {
  isLeader: false,
  behind: null,
  oldestId: null,
  serverAheadMs: null,
  heldEntries: 0,
  publishedSeq: null,
  otherPublisher: null,
};
