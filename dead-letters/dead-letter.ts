/** A record that cannot be stored, and why. */
export interface DeadLetter {
  /** or stream */
  queue: string;
  /** identifies the dead letter within its queue: a redelivered record is the same dead letter, any other text is another one */
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
