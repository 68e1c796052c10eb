import { setTimeout as sleep } from 'node:timers/promises';
import { type Backoff, backoffMs } from '../../shared/platform/backoff.ts';
import { type ClassifiedDatabaseError, classifyDatabaseError } from '../../shared/platform/postgres/database-errors.ts';

/** Repeats work for as long as that can help. */
export type Repeat = <T>(work: () => Promise<T>) => Promise<T>;

/** How a statement is repeated. */
export interface RetryOptions {
  backoff: Backoff;
  random: () => number;
  /** gives up when aborted: the last error is thrown */
  signal: AbortSignal;
  /** told of each failure that will be tried again */
  onRetry(error: ClassifiedDatabaseError, attempt: number, thrown: unknown): void;
  /** told when it has worked after all */
  onRecovered(attempts: number): void;
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
export async function retryWhileWorthWaiting<T>(work: () => Promise<T>, options: RetryOptions): Promise<T> {
  const mayWait = options.isWorthWaiting ?? isWorthWaiting;
  for (let attempt = 0; ; attempt += 1) {
    let result: T;
    try {
      result = await work();
    } catch (thrown) {
      const error = classifyDatabaseError(thrown);
      if (!mayWait(error) || options.signal.aborted) throw thrown;
      options.onRetry(error, attempt, thrown);
      const { backoff, random } = options;
      const waitMs = error.class === 'systemic' ? backoff.maxMs : backoffMs(backoff, attempt, random);
      const aborted = await sleep(waitMs, false, { signal: options.signal }).catch(() => true);
      if (aborted) throw thrown;
      continue;
    }
    if (attempt > 0) options.onRecovered(attempt);
    return result;
  }
}
