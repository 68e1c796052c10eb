import { isRefusal } from '../../shared/platform/redis/redis-errors.ts';
import { retry } from '../../shared/platform/retry.ts';

/** Time between two tries of what Redis refuses: out of memory, a replica now, no rights. */
export const refusedRetryMs = 500;

/**
 * Asks Redis again while it refuses.
 *
 * @param options.forMs how long, in ms; then, or when the signal aborts, its error is thrown
 */
export function retryWhileRefused<T>(
  ask: () => Promise<T>,
  { forMs, signal }: { forMs: number; signal: AbortSignal },
): Promise<T> {
  const untilMs = performance.now() + forMs;
  const delayMs = (thrown: unknown) => (isRefusal(thrown) && performance.now() <= untilMs ? refusedRetryMs : null);
  return retry(ask, { signal, delayMs });
}
