/** What a sender may send. */
export const scopes = ['executions', 'requests'] as const;
export type Scope = (typeof scopes)[number];

/** A service that has a token. */
export interface Sender {
  name: string;
  scopes: readonly Scope[];
  /** realms that its executions may be of; null: any */
  realms: readonly string[] | null;
  /** creators that its requests may be of; null: any */
  creators: readonly string[] | null;
  /** null: no bound */
  recordsPerSecond: number | null;
  bytesPerSecond: number | null;
}
