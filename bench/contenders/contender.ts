import type { Rows as ExecutionRows } from '../rows.ts';

/** A way of getting rows into the table. */
export interface Contender<Rows = ExecutionRows> {
  name: string;
  /** share of the rows that it stores in a measured run; the slow ones get fewer, since rates are per second */
  share: number;
  /** its worker processes, for the CPU meter */
  workerPids(): number[];
  /** Makes ready what is to be there before the clock runs. */
  prepare?(rows: Rows, count: number): Promise<void>;
  /** Stores the first `count` rows. Resolves as soon as the last one is visible to others. */
  store(rows: Rows, count: number): Promise<void>;
}
