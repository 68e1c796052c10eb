/** A trace cut to its bound, and how long it was. */
export interface TruncatedTrace {
  /** a copy; null when there was no trace */
  entries: unknown[] | null;
  /** entries before the cut; null when there was no trace */
  originalLength: number | null;
  /** says what was cut; null when nothing was */
  note: string | null;
}

/**
 * Keeps the head and the tail of a long trace: rules match at the head, but a trace is in evaluation order, so the
 * entries that decided the points stand at its end.
 *
 * @param limit entries to keep; 0 or less keeps all
 */
export function truncateTrace(trace: readonly unknown[] | null | undefined, limit: number): TruncatedTrace {
  if (trace === null || trace === undefined) return { entries: null, originalLength: null, note: null };
  const originalLength = trace.length;
  if (limit <= 0 || originalLength <= limit) return { entries: [...trace], originalLength, note: null };
  const head = Math.ceil(limit / 2);
  const tail = limit - head;
  const entries = [...trace.slice(0, head), ...trace.slice(originalLength - tail)];
  return {
    entries,
    originalLength,
    note: `trace cut from ${originalLength} to ${limit} entries: the first ${head} and the last ${tail} are kept`,
  };
}
