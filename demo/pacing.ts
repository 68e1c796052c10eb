import { setTimeout as sleep } from 'node:timers/promises';

/** Something that happens at an offset from the start, in ms. */
interface Timed {
  atMs: number;
}

/** When the demo pauses, and when it ends. */
export interface PacingOptions {
  /** called before each turn; a scoring service on a real machine would not outpace its own buffer for long */
  isOverloaded: () => boolean;
  signal: AbortSignal;
}

/** Events are handled in turns, so that the event loop can send what they produce. */
const turnMs = 5;

/** Passes events on when they are due, including bursts and lulls. Ends early when aborted. */
export async function* inTime<E extends Timed>(
  events: AsyncIterable<E> | Iterable<E>,
  options: PacingOptions,
): AsyncGenerator<E> {
  const startedAt = performance.now();
  let turnStartedAt = startedAt;
  for await (const event of events) {
    const dueInMs = startedAt + event.atMs - performance.now();
    if (dueInMs > 1 || performance.now() - turnStartedAt > turnMs) {
      await sleep(Math.max(0, dueInMs));
      turnStartedAt = performance.now();
    }
    while (options.isOverloaded() && !options.signal.aborted) await sleep(turnMs);
    if (options.signal.aborted) return;
    yield event;
  }
}
