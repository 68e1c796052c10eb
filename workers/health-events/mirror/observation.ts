import type { HealthEvent, Reaction } from '../../../shared/contracts/health-event.ts';

/** What an entry was found to say, and when it was. */
export interface Observation {
  /** of the entry in the stream */
  entryId: string;
  event: HealthEvent;
  reaction: Reaction;
  /** UTC milliseconds since 1970: the one time that everything which comes of the entry bears */
  nowMs: number;
  /** once it is given, nothing more is asked of a store */
  signal: AbortSignal;
}
