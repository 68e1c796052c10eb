/** What a partition may hold. Instants are milliseconds since 1970; an end that has no instant is infinite. */
export type PartitionBounds =
  /** everything that has no partition of its own */
  | { kind: 'default' }
  /** from `fromMs` (included) until `untilMs` (excluded) */
  | { kind: 'range'; fromMs: number; untilMs: number }
  /** nothing that is known here: left alone */
  | { kind: 'other' };

/**
 * Reads what `pg_get_expr(relpartbound)` says of a partition of one time column, with the time zone UTC and the date style
 * ISO in force. An end that is MINVALUE, MAXVALUE, infinity or beyond the years 0 to 9999 is infinite. A fraction of a
 * millisecond widens the range. Total: never throws.
 */
export function parseBounds(text: string | null): PartitionBounds {
  if (text?.trim() === 'DEFAULT') return { kind: 'default' };
  const ends = /^FOR VALUES FROM \(('[^']*'|MINVALUE|MAXVALUE)\) TO \(('[^']*'|MINVALUE|MAXVALUE)\)$/.exec(text ?? '');
  const [, from, until] = ends ?? [];
  if (from === undefined || until === undefined) return { kind: 'other' };
  return {
    kind: 'range',
    fromMs: parseEnd(from, Math.floor) ?? Number.NEGATIVE_INFINITY,
    untilMs: parseEnd(until, Math.ceil) ?? (/BC'$/.test(until) ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY),
  };
}

const instantPattern = /^'(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(\.\d{1,6})?\+00'$/;

function parseEnd(text: string, round: (ms: number) => number): number | null {
  const [, day, time, fraction = ''] = instantPattern.exec(text) ?? [];
  if (day === undefined) return null;
  // The milliseconds are added, as Date would cut off what is below them.
  const ms = Date.parse(`${day}T${time}Z`) + round(Number(`0${fraction}`) * 1_000);
  return Number.isNaN(ms) ? null : ms;
}

/** Whether a partition could hold some instant of a range that ends before `untilMs`. The DEFAULT one does not count. */
export function overlaps(bounds: PartitionBounds, fromMs: number, untilMs: number): boolean {
  return bounds.kind === 'range' && bounds.fromMs < untilMs && bounds.untilMs > fromMs;
}

/**
 * The first instant from `nowMs` on that no partition but the DEFAULT one would take; `nowMs` itself when it is now
 * already, Infinity when a partition has no end.
 */
export function coveredUntilMs(partitions: readonly PartitionBounds[], nowMs: number): number {
  const ranges = partitions.filter((bounds) => bounds.kind === 'range').sort((a, b) => a.fromMs - b.fromMs);
  let untilMs = nowMs;
  for (const range of ranges) {
    if (range.fromMs <= untilMs && range.untilMs > untilMs) untilMs = range.untilMs;
  }
  return untilMs;
}
