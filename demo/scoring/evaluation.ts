import type { TraceEntry } from '../../producers/index.ts';

export type { TraceEntry };

/** The input and the output of a run. */

/** Who did what, where. `data` is whatever the game's client reported. */
export type ScoringInput = {
  externalGameId: string;
  externalTaskId: string;
  externalUserId: string;
  data: Readonly<Record<string, unknown>>;
};

/** Counts up during a run, so that the count is known after a failure too. */
export type Progress = { nodesVisited: number };

export type EvaluateOptions = {
  /** Entries are appended in evaluation order, children before parents; after a failure it holds the trace so far. */
  trace: TraceEntry[];
  /** A monotonic clock, in ms (fractions count): `performance.now` outside tests. */
  now: () => number;
  /** Set to 0 when the run starts. @default a fresh object */
  progress?: Progress;
};

export type Evaluation = {
  points: number | null;
  caseName: string | null;
  /** Null if nothing was set. */
  callbackData: Record<string, unknown> | null;
  /** For a successful run, also the number of entries that it added to the trace. */
  nodesVisited: number;
};
