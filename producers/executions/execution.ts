import type { ExecutionStatus, TraceEntry } from '../../shared/contracts/execution.ts';

/** One run of a strategy, as the scoring service reports it. Only the first six fields are required. */
export interface Execution {
  /** id of the definition that ran */
  strategyId: string;
  strategyVersion: number;
  /** `DSL_FULL`, `DSL_EXTEND` or a name of your own */
  strategyType: string;
  status: ExecutionStatus;
  /** wall-clock time of the whole run, in milliseconds */
  durationMs: number;
  /** number of evaluated nodes */
  nodesExecuted: number;

  /** the tenant */
  realmId?: string | null | undefined;
  externalGameId?: string | null | undefined;
  externalTaskId?: string | null | undefined;
  externalUserId?: string | null | undefined;
  /** a stable code, for runs that failed */
  errorCode?: string | null | undefined;
  errorMessage?: string | null | undefined;
  /** the node at which the run failed */
  failedNodeId?: string | null | undefined;
  points?: number | null | undefined;
  caseName?: string | null | undefined;
  /** entries in evaluation order, up to the failure if the run failed */
  trace?: readonly TraceEntry[] | null | undefined;
  /** the built-in strategy that a `DSL_EXTEND` run wraps */
  parentStrategyId?: string | null | undefined;
  /** identifies the program that ran, if drafts can change under one version */
  astHash?: string | null | undefined;
  /** the input of the run, so that it can be replayed; any JSON */
  input?: unknown;
  /** 1 for the first attempt at an event. @default 1 */
  attempt?: number | undefined;
  /** when the run ended: a Date, ms since 1970 or ISO 8601. @default the moment of the call */
  recordedAt?: Date | number | string | undefined;
  /** a UUID that identifies the run, if the caller has one. @default a new UUIDv7 */
  id?: string | undefined;
  /**
   * 32 hexadecimal digits; null: the run belongs to no trace. @default that of the span of OpenTelemetry that is active at the call
   * of record(), or at the beginning of withExecution()
   */
  traceId?: string | null | undefined;
  /** 16 hexadecimal digits. @default that of the active span, where it is of this trace */
  spanId?: string | null | undefined;
}
