/** How a run ended. Everything but `ok` is a failure and is always kept. */
export const executionStatuses = ['ok', 'error', 'timeout', 'limit', 'cancelled'] as const;
export type ExecutionStatus = (typeof executionStatuses)[number];

/** One evaluated node, in evaluation order (children before their parent). */
export interface TraceEntry {
  nodeId: string | null;
  type: string;
  value: unknown;
  branch?: string;
  /** the value that a field read, with which the run can be simulated again */
  path?: string;
}

/**
 * Limits that keep every record storable. Identifiers are indexed, and a B-tree entry holds at most 2,704 bytes:
 * 512 characters are at most 2,048 bytes of UTF-8.
 */
export const executionLimits = {
  identifierChars: 512,
  messageChars: 4_096,
  notesChars: 1_024,
  /** PostgreSQL's integer */
  integer: 2_147_483_647,
  /** levels of nesting in trace and input; PostgreSQL's JSON parser fails at some thousands */
  depth: 64,
} as const;
