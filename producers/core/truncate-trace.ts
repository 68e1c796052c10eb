/** A trace cut to its limit. */
export interface TruncatedTrace {
  /** a copy; null if there was no trace */
  entries: unknown[] | null;
  /** entries before the cut; null if there was no trace */
  originalLength: number | null;
  /** says what was cut; null if nothing was */
  note: string | null;
}

/**
 * Keeps the head and the tail of a long trace. Rules match at the head, but a trace is in evaluation order, so the entries
 * that decided the points are at its end.
 *
 * @param limit entries to keep; 0 or less keeps all
 * @param maxChars of the JSON of all entries. Each entry takes two at least, so at most half as many entries are kept
 */
export function truncateTrace(
  trace: readonly unknown[] | null | undefined,
  limit: number,
  maxChars: number = Number.POSITIVE_INFINITY,
): TruncatedTrace {
  if (trace === null || trace === undefined) return { entries: null, originalLength: null, note: null };
  const originalLength = trace.length;
  const kept = Math.min(limit <= 0 ? originalLength : limit, Math.ceil(maxChars / 2));
  // Not by its iterator, which may be the caller's own.
  if (originalLength <= kept) return { entries: Array.prototype.slice.call(trace), originalLength, note: null };
  const head = Math.ceil(kept / 2);
  const tail = kept - head;
  const entries = [
    ...Array.prototype.slice.call(trace, 0, head),
    ...Array.prototype.slice.call(trace, originalLength - tail),
  ];
  return {
    entries,
    originalLength,
    note: `trace cut from ${originalLength} to ${kept} entries: the first ${head} and the last ${tail} are kept`,
  };
}
