import { setTimeout as sleep } from 'node:timers/promises';
import { classifyRedisError, isRefusal } from '../../shared/platform/redis/redis-errors.ts';

/** Time between two tries of what Redis refuses: out of memory, a replica now, no rights. */
export const refusedRetryMs = 500;

/** Whether an error is of Redis, of the way to it, or of what BullMQ keeps there: a lock that was lost, a job that is gone. */
export function isRedisError(error: unknown): boolean {
  return classifyRedisError(error).class !== 'foreign';
}

/**
 * Asks Redis again while it refuses.
 *
 * @param options.forMs how long, in ms; then, or when the signal aborts, its error is thrown
 */
export async function repeatWhileRefused<T>(
  ask: () => Promise<T>,
  options: { forMs: number; signal: AbortSignal },
): Promise<T> {
  const until = performance.now() + options.forMs;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!isRefusal(error) || options.signal.aborted || performance.now() > until) throw error;
      await sleep(refusedRetryMs, undefined, { signal: options.signal }).catch(() => undefined);
    }
  }
}
