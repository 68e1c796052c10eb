/**
 * How long to wait before attempt `attempt + 1`: exponential with full jitter, a uniform draw from zero up to
 * `baseMs · 2^attempt`, capped at `maxMs`. Full jitter spreads a fleet that failed together, so that it does not come
 * back together.
 *
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export interface Backoff {
  /** upper bound of the first wait, in ms */
  baseMs: number;
  /** upper bound of every wait, in ms */
  maxMs: number;
}

/** @param attempt failures so far less one: 0 after the first failure */
export function backoffMs({ baseMs, maxMs }: Backoff, attempt: number, random: () => number): number {
  return random() * Math.min(maxMs, baseMs * 2 ** Math.min(attempt, 30));
}
