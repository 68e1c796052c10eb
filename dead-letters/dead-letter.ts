/** A record that cannot be stored, and why. */
export interface DeadLetter {
  /** or stream */
  queue: string;
  /** names the dead letter within its queue: a record that is delivered again is the same dead letter, any other text another one */
  recordKey: string;
  contractVersion: number | null;
  /** JSON as received */
  payload: string;
  code: string;
  reason: string;
  signature: string;
  jobId: string | null;
  producer: string | null;
}
