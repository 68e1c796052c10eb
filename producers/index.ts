/** The producer SDK: what a scoring service imports. */

export type { ServiceTier } from '../shared/contracts/completed-request.ts';
export type { ExecutionStatus, TraceEntry } from '../shared/contracts/execution.ts';
export { UsageError } from '../shared/platform/errors.ts';
export type { RedisSettings } from '../shared/platform/redis/redis-target.ts';
export type { DrainResult } from './core/pipeline.ts';
export type { ProducerLogger } from './core/problem-log.ts';
export type { RedactOptions } from './core/redact.ts';
export type { RedactRule, RedactRules } from './core/redact-rules.ts';
export type { RedisOption } from './core/redis-option.ts';
export { RecordRefusedError } from './core/refusal.ts';
export { RecordLostError, RecordTooLargeError, SendAbortedError, SenderClosedError } from './core/send-errors.ts';
export {
  createExecutionObserver,
  type ExecutionObserverOptions,
  executionObserverOptionsFrom,
} from './executions/create-execution-observer.ts';
export type { Execution } from './executions/execution.ts';
export {
  ExecutionObserver,
  type ExecutionSink,
  NoopExecutionObserver,
  type ObserverSettings,
  type ObserverStats,
} from './executions/execution-observer.ts';
export {
  describeFailure,
  type ExecutionRun,
  type ExecutionSubject,
  type FailureDescription,
  type WithExecutionOptions,
  withExecution,
} from './executions/with-execution.ts';
export { abandonedRequest } from './requests/abandoned-request.ts';
export type { BegunRequest, Body, CompletedRequest, SenderStats, Time } from './requests/completed-request.ts';
export { CompletedRequestSender, type SendOptions } from './requests/completed-request-sender.ts';
export {
  type CompletedRequestSenderOptions,
  completedRequestSenderOptionsFrom,
  createCompletedRequestSender,
} from './requests/create-completed-request-sender.ts';
export { withoutTopLevelKeys } from './requests/without-top-level-keys.ts';
