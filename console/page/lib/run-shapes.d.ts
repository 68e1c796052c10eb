/**
 * What the page and the command line derive from a run, typed once. The page's JavaScript is checked against these types;
 * the command line, which is compiled without that JavaScript, assumes them.
 */

/** A node of a trace: one that was evaluated, one whose evaluation did not finish, or a note of how much is left out. */
export interface TraceNode {
  nodeId: string | null;
  /** `?`: the entry is not that of a node; `value` is all of it */
  type: string;
  /** absent: its evaluation did not finish */
  value?: unknown;
  branch: string | null;
  /** the path of the value that a field read, if the service reports it */
  path: string | null;
  state: 'done' | 'failed' | 'unfinished' | 'cut';
  children: TraceNode[];
}

export interface TraceTree {
  roots: TraceNode[];
  /** whether some nodes had to be placed by their types, because their ids do not say where they belong */
  isInferred: boolean;
  entries: number;
}

export type ToTraceTree = (
  /** as stored: of any form */
  trace: readonly unknown[],
  run?: {
    /** null: the run did not fail, or the node is unknown */
    failedNodeId?: string | null;
    /** entries before the trace was truncated; null if unknown */
    traceLength?: number | null;
  },
) => TraceTree;

/** What a replay is made from: a stored execution, as the database or the API returns it. */
export interface ReplayableRun {
  externalGameId: string | null;
  externalTaskId: string | null;
  externalUserId: string | null;
  strategyType: string;
  trace: readonly unknown[] | null;
  traceLength: number | null;
  input?: unknown;
  notes: string | null;
}

/** The input of the scoring service's simulation: the body of `POST …/strategies/custom/{id}/simulate`. */
export interface ReplayBody {
  /** null: the row has none, but the simulation requires one */
  externalGameId: string | null;
  externalTaskId: string | null;
  externalUserId: string | null;
  /** the event's input */
  data?: Record<string, unknown>;
  /** by the path of the field: what it read in that run, instead of what it would read now */
  mockState: Record<string, unknown>;
}

export interface Replay {
  body: ReplayBody;
  /** how the simulation may differ from the run, a sentence each */
  remarks: string[];
  /** whether the simulation would accept the run's user, task and game */
  isComplete: boolean;
}

export type ToReplayBody = (
  run: ReplayableRun,
  /** the strategy's program, or any JSON that contains it, if available */
  program?: unknown,
) => Replay;
