/**
 * Estimates from a sample. A kept row stands for `weight` runs: `1 / sample_rate` for a sampled run, and 1 for a failure,
 * because failures are always kept. The errors are sampling errors: how far a value may lie from the one that all runs of
 * the window would give. They are 0 where every run was kept.
 */

/** The stored rows behind a figure, and the runs that they stand for. */
export interface Tally {
  /** stored */
  rows: number;
  /** estimated, not rounded */
  runs: number;
}

/** An estimated value and what it is based on. */
export interface Estimate {
  /** null: there is nothing to estimate it from */
  value: number | null;
  /** with 95 % confidence, the value over all runs lies within `value ± margin`; null if the margin is unknown */
  margin: number | null;
  /** the stored rows that it is based on */
  rows: number;
  /** true: too few rows to draw conclusions from */
  tooFew: boolean;
}

/** The normal distribution's 97.5th percentile: two-sided 95 %. */
export const z95 = 1.959964;

const fewestRows = 30;

/** A rate or a mean of fewer than 30 rows means little. */
export function isTooFew(rows: number): boolean {
  return rows < fewestRows;
}

const fewestBeyond = 5;

/** A percentile needs at least five rows beyond it: 10 rows for the median, 100 for the 95th and 500 for the 99th. */
export function isTooFewForPercentile(rows: number, share: number): boolean {
  // 1 - 0.95 is a little more than 0.05, 1 - 0.99 a little more than 0.01.
  return rows * (1 - share) < fewestBeyond - 1e-9;
}

/**
 * The share of failures among all runs. Failures are counted; ok runs are estimated. Each ok run was kept with a known
 * probability, independently of the others, so their estimated number has the variance Σ weight·(weight − 1)
 * (Horvitz–Thompson). The variance of the share follows from its derivative.
 *
 * @param ok.variance Σ weight·(weight − 1) over the rows of ok runs
 */
export function toFailureRate(ok: Tally & { variance: number }, failed: Tally): Estimate {
  const rows = ok.rows + failed.rows;
  const runs = ok.runs + failed.runs;
  if (rows === 0) return { value: null, margin: null, rows: 0, tooFew: true };
  return {
    value: failed.runs / runs,
    // Without a row of an ok run, their sampling rate is unknown, and so is their number.
    margin: ok.rows === 0 ? null : z95 * (failed.runs / runs ** 2) * Math.sqrt(ok.variance),
    rows,
    tooFew: isTooFew(rows),
  };
}

/** A weighted mean. */
export interface Mean {
  mean: number | null;
  /** with 95 % confidence, the mean of all runs is `mean ± margin`; null with fewer than two rows */
  margin: number | null;
  /** true: too few rows to draw conclusions from */
  tooFew: boolean;
}

/**
 * The mean of runs with its margin, which is that of a ratio of two weighted sums with the variance
 * Σ (weight · (x − mean))² / (Σ weight)².
 *
 * @param of.w2 Σ weight², and likewise Σ weight²·x and Σ weight²·x²
 */
export function toMean({
  mean,
  rows,
  runs,
  w2,
  w2x,
  w2xx,
}: {
  mean: number | null;
  rows: number;
  runs: number;
  w2: number;
  w2x: number;
  w2xx: number;
}): Mean {
  if (mean === null) return { mean, margin: null, tooFew: true };
  // Rounding may make it slightly negative if all values are equal.
  const variance = Math.max(0, w2xx - 2 * mean * w2x + mean ** 2 * w2) / runs ** 2;
  return { mean, margin: rows < 2 ? null : z95 * Math.sqrt(variance), tooFew: isTooFew(rows) };
}

/** `a / b`; null if `b` is 0. */
export function ratio(a: number, b: number): number | null {
  return b === 0 ? null : a / b;
}
