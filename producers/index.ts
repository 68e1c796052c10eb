/** The producer SDK: what a scoring service imports. */

export type { ExecutionStatus, TraceEntry } from '../shared/contracts/execution.ts';
export { UsageError } from '../shared/errors.ts';
export {
  createExecutionObserver,
  type ExecutionObserverOptions,
  executionObserverOptionsFrom,
} from './create-execution-observer.ts';
export type { Execution } from './execution.ts';
export {
  type DrainResult,
  ExecutionObserver,
  type ExecutionSink,
  NoopExecutionObserver,
  type ObserverSettings,
  type ObserverStats,
} from './execution-observer.ts';
export type { ProducerLogger } from './problem-log.ts';
export {
  describeFailure,
  type ExecutionRun,
  type ExecutionSubject,
  type FailureDescription,
  type WithExecutionOptions,
  withExecution,
} from './with-execution.ts';
