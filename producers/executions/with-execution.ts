import type { ExecutionStatus, TraceEntry } from '../../shared/contracts/execution.ts';
import type { SpanContext } from '../../shared/contracts/span-context.ts';
import { readActiveSpan } from '../core/active-span.ts';
import { observeResult } from '../core/observe-result.ts';
import type { Execution } from './execution.ts';
import type { ExecutionSink } from './execution-observer.ts';

/** What is known of a run before it starts. */
export type ExecutionSubject = Omit<
  Execution,
  | 'status'
  | 'durationMs'
  | 'nodesExecuted'
  | 'errorCode'
  | 'errorMessage'
  | 'failedNodeId'
  | 'points'
  | 'caseName'
  | 'trace'
  | 'recordedAt'
>;

/** What the code under observation says about its run while it goes on. What it said before a failure is kept. */
export interface ExecutionRun {
  /** append entries as nodes are evaluated; a failed run keeps the trace so far */
  readonly trace: TraceEntry[];
  /** @default the length of the trace */
  nodesExecuted: number | undefined;
  points: number | null;
  caseName: string | null;
  failedNodeId: string | null;
  /**
   * what went wrong where nothing is thrown, as in a framework that handles errors by itself; the run counts as failed, as if
   * this had been thrown. @default undefined
   */
  failure: unknown;
}

/** How a failure is recorded. */
export interface FailureDescription {
  status: Exclude<ExecutionStatus, 'ok'>;
  errorCode: string;
  failedNodeId?: string | null;
}

/** Settings of one observed run. */
export interface WithExecutionOptions {
  /** when it is aborted by the time the run fails, the run counts as cancelled, or as a timeout after AbortSignal.timeout */
  signal?: AbortSignal;
  /** how a thrown value is recorded. @default describeFailure */
  describeFailure?: (thrown: unknown) => FailureDescription;
  /** a clock in ms, for durations. @default performance.now */
  now?: () => number;
}

/**
 * Runs `work`, times it, and records it exactly once: ok with what it said of itself, or failed with the code, the
 * message and the trace so far. Returns what `work` returns and throws what it throws, and never anything of its own.
 * Synchronous work stays synchronous.
 *
 * A run ends with its result: with a promise when it settles; with a generator, a ReadableStream or the body of a Response
 * when it is read to its end, and with a stream of Node's, such as the response of a server, when it is closed. What is given
 * up before its end, as by a client that goes away, is recorded as cancelled; what is never read is not recorded. A Response that
 * was fetched, one of a framework's own class, and a stream that was read from before count as values: their run has ended.
 *
 * The run belongs to the span of OpenTelemetry that is active when it begins, whoever reads its result to the end.
 */
export function withExecution<T>(
  sink: ExecutionSink,
  subject: ExecutionSubject,
  work: (run: ExecutionRun) => T,
  options: WithExecutionOptions = {},
): T {
  const now = options.now ?? (() => performance.now());
  const run: ExecutionRun = {
    trace: [],
    nodesExecuted: undefined,
    points: null,
    caseName: null,
    failedNodeId: null,
    failure: undefined,
  };
  const span = spanOf(subject);
  const startedAt = now();
  let isRecorded = false;

  const record = (outcome: Pick<Execution, 'status'> & Partial<Execution>): void => {
    if (isRecorded) return;
    isRecorded = true;
    try {
      sink.record({
        ...subject,
        ...span,
        durationMs: now() - startedAt,
        nodesExecuted: run.nodesExecuted ?? run.trace.length,
        trace: run.trace,
        ...outcome,
      });
    } catch {
      // A sink that breaks its promise not to throw must not change the outcome of the run.
    }
  };
  const fail = (thrown: unknown): void => record(failureFields(thrown, run, options));
  const succeed = (): void =>
    run.failure === undefined
      ? record({ status: 'ok', points: run.points, caseName: run.caseName })
      : fail(run.failure);

  let result: T;
  try {
    result = work(run);
  } catch (thrown) {
    fail(thrown);
    throw thrown;
  }
  return observeResult(result, {
    succeed,
    fail,
    abandon: () => fail(run.failure ?? new AbandonedError()),
  });
}

/** Without one, the run has none at its end either: a stream may end in somebody else's. Nothing where there is no OpenTelemetry. */
const noSpan = { traceId: null };

/** The fields of the span that is active now, unless the caller names one. */
function spanOf(subject: ExecutionSubject): SpanContext | typeof noSpan | undefined {
  const active = readActiveSpan();
  if (active === undefined) return undefined;
  try {
    return subject.traceId === undefined && subject.spanId === undefined ? (active ?? noSpan) : undefined;
  } catch {
    // Told of when it is recorded.
    return undefined;
  }
}

/** Stands for the error of a run whose result was not read to its end; describeFailure takes it for a cancellation. */
class AbandonedError extends Error {
  override readonly name = 'AbortError';

  constructor() {
    super('the result was given up before its end');
  }
}

/**
 * The usual reading of a thrown value: `DSL_TIMEOUT` and DOMException TimeoutError are timeouts, `DSL_LIMIT_EXCEEDED`
 * is a limit, AbortError is a cancellation, all else is an error. The code is the value's own `code` when that is text,
 * else `DSL_UNEXPECTED`.
 */
export function describeFailure(thrown: unknown): FailureDescription {
  const { code, name, nodeId } = fieldsOf(thrown);
  const failedNodeId = nodeId ?? null;
  if (code === 'DSL_TIMEOUT' || name === 'TimeoutError')
    return { status: 'timeout', errorCode: code ?? 'DSL_TIMEOUT', failedNodeId };
  if (code === 'DSL_LIMIT_EXCEEDED') return { status: 'limit', errorCode: code, failedNodeId };
  if (name === 'AbortError') return { status: 'cancelled', errorCode: code ?? 'DSL_CANCELLED', failedNodeId };
  return { status: 'error', errorCode: code ?? 'DSL_UNEXPECTED', failedNodeId };
}

function failureFields(
  thrown: unknown,
  run: ExecutionRun,
  options: WithExecutionOptions,
): Pick<Execution, 'status'> & Partial<Execution> {
  const description = describe(thrown, options);
  return {
    status: description.status,
    errorCode: description.errorCode,
    errorMessage: fieldsOf(thrown).message ?? null,
    failedNodeId: run.failedNodeId ?? description.failedNodeId ?? null,
    points: null,
    caseName: null,
  };
}

function describe(thrown: unknown, { signal, describeFailure: own }: WithExecutionOptions): FailureDescription {
  try {
    // A copy, so that a description that is none, or cannot be read, fails here.
    if (own) return { ...own(thrown) };
    const described = describeFailure(thrown);
    // What Node's own functions throw is an AbortError, also after AbortSignal.timeout: only the signal knows why.
    if (signal?.aborted && (described.status === 'error' || described.status === 'cancelled'))
      return { ...described, ...describeAbort(signal) };
    return described;
  } catch {
    return { status: 'error', errorCode: 'DSL_UNEXPECTED' };
  }
}

function describeAbort({ reason }: AbortSignal): Pick<FailureDescription, 'status' | 'errorCode'> {
  const { code, name } = fieldsOf(reason);
  return name === 'TimeoutError'
    ? { status: 'timeout', errorCode: code ?? 'DSL_TIMEOUT' }
    : { status: 'cancelled', errorCode: code ?? 'DSL_CANCELLED' };
}

/** The text fields of anything thrown; getters that throw count as absent. */
function fieldsOf(thrown: unknown): { code?: string; name?: string; nodeId?: string; message?: string } {
  if (typeof thrown === 'string') return { message: thrown };
  if (typeof thrown !== 'object' || thrown === null) return {};
  const fields: Record<string, string> = {};
  for (const name of ['code', 'name', 'nodeId', 'message']) {
    try {
      const value = (thrown as Record<string, unknown>)[name];
      if (typeof value === 'string') fields[name] = value;
    } catch {
      // absent
    }
  }
  return fields;
}
