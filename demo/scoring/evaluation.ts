import type { TraceEntry } from '../../producers/index.ts';

export type { TraceEntry };

/** What a run is given and what it gives back. */

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
  /** A clock that never goes back, in ms (fractions count): `performance.now` outside tests. */
  now: () => number;
  /** Set to 0 when the run starts. @default a fresh object */
  progress?: Progress;
};

export type Evaluation = {
  points: number | null;
  caseName: string | null;
  /** Null when nothing was set. */
  callbackData: Record<string, unknown> | null;
  /** Of a run that ended well, also the number of entries it added to the trace. */
  nodesVisited: number;
};
