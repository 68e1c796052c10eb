/**
 * Does some work unless the signal says no, and waits for it no longer once the signal does; what was begun then goes on
 * by itself, and how it ends is not known.
 *
 * @throws the signal's reason, or what the work throws
 */
export async function orAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work(), aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
