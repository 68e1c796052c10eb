import { pause } from './deadline.ts';

/** Repeats work for as long as that can help. */
export type Repeat = <T>(work: () => Promise<T>) => Promise<T>;

/** How work is repeated. */
export interface RetryOptions {
  /** gives up when aborted */
  signal?: AbortSignal;
  /** ms to wait before the next try; null gives up. @param attempt 0 after the first failure */
  delayMs(thrown: unknown, attempt: number): number | null;
  /** told when it has worked after all */
  onRecovered?(attempts: number): void;
}

/** Repeats `work` in place until it works. @throws the last error, when it gives up */
export async function retry<T>(work: () => Promise<T>, { signal, delayMs, onRecovered }: RetryOptions): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    let result: T;
    try {
      result = await work();
    } catch (thrown) {
      const waitMs = signal?.aborted ? null : delayMs(thrown, attempt);
      if (waitMs === null) throw thrown;
      await pause(waitMs, signal);
      if (signal?.aborted) throw thrown;
      continue;
    }
    if (attempt > 0) onRecovered?.(attempt);
    return result;
  }
}
