import type { LazyRecord } from '../core/lazy-record.ts';

/** How long serialising may block the event loop at a time, in ms. */
const sliceMs = 2;

/**
 * Serialises records right after the caller's turn, a slice at a time. record() pays only for a copy, and what waits in the
 * buffer during an outage is text of a known size and not objects.
 */
export function createBackgroundWriter() {
  let waiting: Pick<LazyRecord, 'serialize'>[] = [];
  let isScheduled = false;

  const schedule = (): void => {
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(writeSome);
  };

  const writeSome = (): void => {
    isScheduled = false;
    const until = performance.now() + sliceMs;
    let written = 0;
    for (const record of waiting) {
      record.serialize();
      written += 1;
      if (performance.now() > until) break;
    }
    waiting = written === waiting.length ? [] : waiting.slice(written);
    if (waiting.length > 0) schedule();
  };

  return {
    /** Serialises the record in one of the next turns of the event loop, unless it is serialised before. */
    write(record: Pick<LazyRecord, 'serialize'>): void {
      waiting.push(record);
      schedule();
    },
  };
}
