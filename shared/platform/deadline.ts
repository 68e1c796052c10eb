import { setTimeout as sleep } from 'node:timers/promises';

/** Node's timers fire at once when they are set to more. */
const maxTimerMs = 2 ** 31 - 1;

/**
 * Waits for work until its time is up. The work then goes on by itself, and nobody hears how it ends.
 *
 * @param late what to return when the time is up; it may throw instead
 * @throws what the work throws in time
 */
export async function within<T, Late>(work: PromiseLike<T>, timeoutMs: number, late: () => Late): Promise<T | Late> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.min(timeoutMs, maxTimerMs));
  });
  try {
    return await Promise.race([work, timeout.then(late)]);
  } finally {
    clearTimeout(timer);
  }
}

/** Does some work that ends when its signal aborts, which is after `timeoutMs`. @throws what the work throws */
export async function withDeadline<T>(timeoutMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), Math.min(timeoutMs, maxTimerMs));
  try {
    return await work(deadline.signal);
  } finally {
    clearTimeout(timer);
  }
}

/** Whether work ended within `timeoutMs`. @throws what it throws in that time */
export function endsWithin(work: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  return within(
    work.then(() => true),
    timeoutMs,
    () => false,
  );
}

/** The answer to a question; null when it fails, or does not come within `timeoutMs`. */
export function answerWithin<T>(timeoutMs: number, ask: () => PromiseLike<T>): Promise<T | null> {
  const answer = Promise.resolve()
    .then(ask)
    .catch(() => null);
  return within(answer, timeoutMs, () => null);
}

/**
 * Does some work unless the signal has aborted, and waits for it no longer once the signal aborts. The work then goes on by
 * itself, and nobody hears how it ends.
 *
 * @param stopped what to throw when the signal aborts. @default its reason
 * @throws what the work throws, too
 */
export async function unlessAborted<T>(
  signal: AbortSignal,
  work: () => Promise<T>,
  stopped: () => unknown = () => signal.reason,
): Promise<T> {
  if (signal.aborted) throw stopped();
  let onAbort = (): void => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(stopped());
  });
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work(), aborted]);
  } finally {
    // Else a signal that lives long would remember each piece of work.
    signal.removeEventListener('abort', onAbort);
  }
}

/** Waits for `ms`, or until the signal aborts. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await sleep(ms, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
}
