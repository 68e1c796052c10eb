import { type Backoff, backoffMs } from '../../shared/platform/backoff.ts';
import { type ClassifiedDatabaseError, classifyDatabaseError } from '../../shared/platform/postgres/database-errors.ts';
import { type RetryOptions, retry } from '../../shared/platform/retry.ts';

/** How a statement is repeated. */
export interface DatabaseRetryOptions extends Pick<RetryOptions, 'signal' | 'onRecovered'> {
  backoff: Backoff;
  /** @default Math.random */
  random?: () => number;
  /** told of each failure that will be tried again */
  onRetry(error: ClassifiedDatabaseError, attempt: number, thrown: unknown): void;
  /** @default isWorthWaiting */
  isWorthWaiting?: (error: ClassifiedDatabaseError) => boolean;
}

/** Whether waiting can help: the database is in trouble, or it refuses every row until a person mends something. */
export function isWorthWaiting({ class: errorClass }: ClassifiedDatabaseError): boolean {
  return errorClass === 'transient' || errorClass === 'systemic';
}

/**
 * Repeats `work` in place for as long as waiting can help, without a limit of attempts, since nothing is gained by giving
 * up: with exponential backoff and full jitter while the database is in trouble, at the cap when it refuses everything.
 * Every other error is thrown at once.
 */
export function retryWhileWorthWaiting<T>(work: () => Promise<T>, options: DatabaseRetryOptions): Promise<T> {
  const { backoff, random = Math.random, isWorthWaiting: mayWait = isWorthWaiting, onRetry, ...others } = options;
  return retry(work, {
    ...others,
    delayMs(thrown, attempt) {
      const error = classifyDatabaseError(thrown);
      if (!mayWait(error)) return null;
      onRetry(error, attempt, thrown);
      return error.class === 'systemic' ? backoff.maxMs : backoffMs(backoff, attempt, random);
    },
  });
}
