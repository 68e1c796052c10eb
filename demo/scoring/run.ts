import type { Limits } from './ast.ts';
import type { BuiltInResult } from './built-ins.ts';
import type { EvaluateOptions, Progress, ScoringInput, TraceEntry } from './evaluation.ts';
import { ScoringError } from './scoring-error.ts';

/** Everything that changes while a program runs. */
export type Run = {
  input: ScoringInput;
  /**
   * What `set_data` wrote, on top of the event's own data: most runs write little, so copying all data would cost more than scoring
   * it. A map, so that a key such as `__proto__` is an ordinary key.
   */
  writtenData: Map<string, unknown>;
  /** Null until the built-in parent has run. */
  parent: BuiltInResult | null;
  points: number | null;
  caseName: string | null;
  callbackData: Map<string, unknown>;
  vetoed: boolean;
  trace: TraceEntry[];
  progress: Progress;
  maxNodes: number;
  timeoutMs: number;
  startedAtMs: number;
  now: () => number;
};

/** Reading the clock costs more than a node, so it is read once for this many nodes. */
const nodesPerClockReading = 64;

/** Starts the clock and the count of one run. */
export function createRun(input: ScoringInput, limits: Limits | undefined, options: EvaluateOptions): Run {
  const progress = options.progress ?? { nodesVisited: 0 };
  progress.nodesVisited = 0;
  return {
    input,
    writtenData: new Map(),
    parent: null,
    points: null,
    caseName: null,
    callbackData: new Map(),
    vetoed: false,
    trace: options.trace,
    progress,
    maxNodes: limits?.maxNodes ?? 1000,
    timeoutMs: limits?.timeoutMs ?? 500,
    startedAtMs: options.now(),
    now: options.now,
  };
}

/**
 * Counts a node before it is evaluated.
 * @throws ScoringError DSL_LIMIT_EXCEEDED if the nodes are used up, DSL_TIMEOUT if the time is
 */
export function visit(run: Run, node: { id: string }): void {
  const { progress, maxNodes, timeoutMs } = run;
  if (progress.nodesVisited >= maxNodes) {
    throw new ScoringError({
      code: 'DSL_LIMIT_EXCEEDED',
      nodeId: node.id,
      message: `the run needs more than its ${maxNodes} nodes`,
      params: { maxNodes },
    });
  }
  progress.nodesVisited += 1;
  if (progress.nodesVisited % nodesPerClockReading !== 0) return;
  const elapsedMs = run.now() - run.startedAtMs;
  if (elapsedMs > timeoutMs) {
    throw new ScoringError({
      code: 'DSL_TIMEOUT',
      nodeId: node.id,
      message: `the run needs more than its ${timeoutMs} ms`,
      params: { timeoutMs, elapsedMs },
    });
  }
}

/** Appends the trace entry of an evaluated node and returns its value. */
export function record<T>(run: Run, node: { id: string; type: string; path?: string }, value: T, branch?: string): T {
  const { id: nodeId, type, path } = node;
  run.trace.push({
    nodeId,
    type,
    value,
    ...(branch === undefined ? {} : { branch }),
    ...(path === undefined ? {} : { path }),
  });
  return value;
}
