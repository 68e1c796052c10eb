import type { Rows } from '../rows.ts';
import type { Testbed } from '../testbed.ts';

/** How a fleet came through a fault. Records are counted by their ids, each once. */
export interface FaultResult {
  scenario: string;
  /** records that the producer was told are safe in Redis */
  recorded: number;
  /** rows in the table */
  stored: number;
  /** neither stored nor a dead letter nor in a failed job */
  lost: number;
  /** rows beyond the first for an id */
  duplicated: number;
  deadLetters: number;
  /** records in failed jobs */
  failed: number;
  /** jobs that were found without a worker */
  stalls: number;
  /** from the end of the fault until no job was left, under load until then or as long as the scenario says */
  drainSeconds: number;
  /** other remarks */
  extra: string;
}

/** What every scenario needs. */
export interface FaultOptions {
  testbed: Testbed;
  rows: Rows;
  /** how long PostgreSQL is away */
  outageSeconds: number;
}

/** A fault, produced under load. */
export type Scenario = (options: FaultOptions) => Promise<FaultResult>;
