/** The producer SDK: what a scoring service imports. */

export type { ServiceTier } from '../shared/contracts/completed-request.ts';
export type { ExecutionStatus, TraceEntry } from '../shared/contracts/execution.ts';
export { UsageError } from '../shared/platform/errors.ts';
export { abandonedRequest } from './abandoned-request.ts';
export type { BegunRequest, Body, CompletedRequest, Time } from './completed-request.ts';
export { CompletedRequestSender, type SenderStats, type SendOptions } from './completed-request-sender.ts';
export {
  type CompletedRequestSenderOptions,
  completedRequestSenderOptionsFrom,
  createCompletedRequestSender,
} from './create-completed-request-sender.ts';
export {
  createExecutionObserver,
  type ExecutionObserverOptions,
  executionObserverOptionsFrom,
} from './create-execution-observer.ts';
export type { DrainResult } from './drain.ts';
export type { Execution } from './execution.ts';
export {
  ExecutionObserver,
  type ExecutionSink,
  NoopExecutionObserver,
  type ObserverSettings,
  type ObserverStats,
} from './execution-observer.ts';
export type { ProducerLogger } from './problem-log.ts';
export { RecordRefusedError } from './refusal.ts';
export { RecordLostError, RecordTooLargeError, SendAbortedError, SenderClosedError } from './send-errors.ts';
export {
  describeFailure,
  type ExecutionRun,
  type ExecutionSubject,
  type FailureDescription,
  type WithExecutionOptions,
  withExecution,
} from './with-execution.ts';
export { withoutTopLevelKeys } from './without-top-level-keys.ts';
