/** How a drain, a flush or a close ended. */
export interface DrainResult {
  /** records that reached Redis since the call */
  flushed: number;
  /** records that did not, and are not on disk: still in the buffer after a drain, dropped after a close */
  unflushed: number;
  /** records on disk, waiting for Redis; after a close, for the next life. 0 without a spill */
  spilled: number;
}

/** Node's timers fire at once when asked for more, Infinity included. */
const maxTimerMs = 2_147_483_647;

/** Does some work that is to end when its signal aborts, which is after `timeoutMs`. */
export async function withDeadline(timeoutMs: number, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), Math.min(timeoutMs, maxTimerMs));
  try {
    await work(deadline.signal);
  } finally {
    clearTimeout(timer);
  }
}
