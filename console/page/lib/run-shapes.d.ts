/**
 * What the page and the command line make of a run, typed once: the page's JavaScript is checked against these types, and
 * the command line, which is compiled without that JavaScript, takes it to be of them.
 */

/** A node of a trace: what was evaluated, what was not evaluated to its end, or how much is left out. */
export interface TraceNode {
  nodeId: string | null;
  /** `?`: no entry of a node, `value` is all of it */
  type: string;
  /** absent: it was not evaluated to its end */
  value?: unknown;
  branch: string | null;
  /** of the value that a field read, where the service tells it */
  path: string | null;
  state: 'done' | 'failed' | 'unfinished' | 'cut';
  children: TraceNode[];
}

export interface TraceTree {
  roots: TraceNode[];
  /** whether ids did not tell where all nodes belong, and their types had to */
  isInferred: boolean;
  entries: number;
}

export type ToTraceTree = (
  /** as it was stored: anything */
  trace: readonly unknown[],
  run?: {
    /** null: the run has not failed, or it is not known where */
    failedNodeId?: string | null;
    /** entries before the trace was cut; null when that is not known */
    traceLength?: number | null;
  },
) => TraceTree;

/** What a replay is made from: a stored execution, as the database or the API tells it. */
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

/** What the scoring service's simulation is asked: the body of `POST …/strategies/custom/{id}/simulate`. */
export interface ReplayBody {
  /** null: the row has none, and the simulation wants one */
  externalGameId: string | null;
  externalTaskId: string | null;
  externalUserId: string | null;
  /** what came with the event */
  data?: Record<string, unknown>;
  /** by the path of the field: what it read in that run, in place of what it would read now */
  mockState: Record<string, unknown>;
}

export interface Replay {
  body: ReplayBody;
  /** in what the simulation may differ from the run, a sentence each */
  remarks: string[];
  /** whether the simulation would accept who the run was for */
  isComplete: boolean;
}

export type ToReplayBody = (
  run: ReplayableRun,
  /** the strategy's program, or any JSON that has it in it, where it is at hand */
  program?: unknown,
) => Replay;
