import { toError, UsageError } from '../shared/platform/errors.ts';
import { readTraceFile } from './trace-file.ts';

/** The beginning of a trace: the number of rows to take, and the time from the first to the last of them. */
export interface TraceHead {
  rows: number;
  spanMs: number;
}

/**
 * Reads the trace once to learn its length and its span, so that a bad line is reported before anything is started.
 *
 * @param limit maximum number of rows; null: all
 * @throws UsageError if the trace cannot be read: the file, the line, and what is wrong with it
 */
export async function measureTrace(traceFile: string, limit: number | null): Promise<TraceHead> {
  let rows = 0;
  let spanMs = 0;
  try {
    for await (const { atMs } of readTraceFile(traceFile)) {
      if (limit !== null && rows >= limit) break;
      rows += 1;
      spanMs = Math.max(spanMs, atMs);
    }
  } catch (error) {
    throw new UsageError(toError(error).message);
  }
  return { rows, spanMs };
}

/** Passes on the events of the head, closer together so that their mean rate is `perSecond`; never further apart. */
export async function* compressed<E extends { atMs: number }>(
  events: AsyncIterable<E>,
  { rows, spanMs }: TraceHead,
  perSecond: number,
): AsyncGenerator<E> {
  const speed = Math.max(1, spanMs / ((rows / perSecond) * 1_000));
  let taken = 0;
  for await (const event of events) {
    if (taken >= rows) return;
    taken += 1;
    yield { ...event, atMs: event.atMs / speed };
  }
}
