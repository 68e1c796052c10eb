import { setTimeout as sleep } from 'node:timers/promises';
import { type Backoff, backoffMs } from '../shared/backoff.ts';
import { type ClassifiedDatabaseError, classifyDatabaseError } from '../shared/database-errors.ts';

/** How a statement is repeated. */
export interface RetryOptions {
  backoff: Backoff;
  random: () => number;
  /** gives up when aborted: the last error is thrown */
  signal: AbortSignal;
  /** told of each failure that will be tried again */
  onRetry(error: ClassifiedDatabaseError, attempt: number): void;
}

/**
 * Repeats `work` in place for as long as the database is in trouble: exponential backoff with full jitter, no limit of
 * attempts, since nothing is gained by giving up. Every other error is thrown at once.
 */
export async function retryTransient<T>(work: () => Promise<T>, options: RetryOptions): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await work();
    } catch (thrown) {
      const error = classifyDatabaseError(thrown);
      if (error.class !== 'transient' || options.signal.aborted) throw thrown;
      options.onRetry(error, attempt);
      const waitMs = backoffMs(options.backoff, attempt, options.random);
      const aborted = await sleep(waitMs, false, { signal: options.signal }).catch(() => true);
      if (aborted) throw thrown;
    }
  }
}
