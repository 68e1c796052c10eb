import type { ExecutionStatus, TraceEntry } from '../../shared/contracts/execution.ts';
import type { SpanContext } from '../../shared/contracts/span-context.ts';
import { readActiveSpan } from '../core/active-span.ts';
import { observeResult } from '../core/observe-result.ts';
import type { Execution } from './execution.ts';
import type { ExecutionSink } from './execution-observer.ts';

/** What is known about a run before it starts. */
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

/** Filled in by the observed code while it runs. What it has filled in before a failure is kept. */
export interface ExecutionRun {
  /** append an entry for each evaluated node; a failed run keeps the trace so far */
  readonly trace: TraceEntry[];
  /** @default the length of the trace */
  nodesExecuted: number | undefined;
  points: number | null;
  caseName: string | null;
  failedNodeId: string | null;
  /**
   * the error, if nothing is thrown, as in a framework that handles errors itself; the run counts as failed as if this had been
   * thrown. @default undefined
   */
  failure: unknown;
}

/** How a failure is recorded. */
export interface FailureDescription {
  status: Exclude<ExecutionStatus, 'ok'>;
  errorCode: string;
  failedNodeId?: string | null;
}

/** Options of one observed run. */
export interface WithExecutionOptions {
  /** if it is aborted when the run fails, the run counts as cancelled, or as a timeout after AbortSignal.timeout */
  signal?: AbortSignal;
  /** how a thrown value is recorded. @default describeFailure */
  describeFailure?: (thrown: unknown) => FailureDescription;
  /** a clock in ms, for durations. @default performance.now */
  now?: () => number;
}

/**
 * Runs `work`, times it, and records it exactly once: as ok with what it filled in, or as failed with the code, the message and
 * the trace so far. Returns what `work` returns and throws what it throws, and nothing else. Synchronous work stays
 * synchronous.
 *
 * A run ends with its result: a promise when it settles; a generator, a ReadableStream or the body of a Response when it is
 * read to its end; and a Node stream, such as the response of a server, when it is closed. A result that is given up before its
 * end, for example because a client disconnects, is recorded as cancelled. A result that is never read is not recorded. A
 * fetched Response, a Response of a framework's own class, and a stream that was read from before count as values: their run
 * has ended.
 *
 * The run belongs to the OpenTelemetry span that is active when it begins, whoever reads its result to the end.
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
      // A sink that throws in spite of its contract must not change the outcome of the run.
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

/** The error of a run whose result was not read to its end; describeFailure treats it as a cancellation. */
class AbandonedError extends Error {
  override readonly name = 'AbortError';

  constructor() {
    super('the result was given up before its end');
  }
}

/**
 * Describes a thrown value by default: `DSL_TIMEOUT` and DOMException TimeoutError are timeouts, `DSL_LIMIT_EXCEEDED` is a
 * limit, AbortError is a cancellation, and everything else is an error. The code is the value's own `code` if that is text,
 * and `DSL_UNEXPECTED` otherwise.
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
    // A copy, so that an invalid or unreadable description fails here.
    if (own) return { ...own(thrown) };
    const described = describeFailure(thrown);
    // Node's own functions throw an AbortError even after AbortSignal.timeout; only the signal knows the reason.
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

/** Reads the text fields of a thrown value; getters that throw count as absent. */
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
