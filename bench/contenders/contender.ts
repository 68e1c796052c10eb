import type { Rows as ExecutionRows } from '../rows.ts';

/** A way of getting rows into the table. */
export interface Contender<Rows = ExecutionRows> {
  name: string;
  /** share of the rows that it stores in a measured run; slow contenders get fewer, since rates are per second */
  share: number;
  /** its worker processes, for the CPU meter */
  workerPids(): number[];
  /** its gateway, for the CPU meter. @default none */
  gatewayPids?(): number[];
  /** Prepares what must exist before the clock starts. */
  prepare?(rows: Rows, count: number): Promise<void>;
  /** Stores the first `count` rows. Resolves as soon as the last one is visible to others. */
  store(rows: Rows, count: number): Promise<void>;
}

/** The name of a contender with a fleet. */
export function nameOf(what: string, workers: number): string {
  return `${what}, ${workers} worker${workers === 1 ? '' : 's'}`;
}
