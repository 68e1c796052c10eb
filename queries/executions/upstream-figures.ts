import { durationEdgesMs, pointsBinCount } from './histograms.ts';

/** The original's window: both ends are optional and inclusive. */
export interface UnweightedWindow {
  weighted: false;
  since: Date | null;
  until: Date | null;
}

/** The answer of the original's metrics endpoint, with its field names. Durations are in ms. */
export interface UpstreamMetrics {
  strategyId: string;
  /** the id, because Sluice does not know definitions */
  name: string;
  /** of the newest row */
  version: number;
  /** null, because Sluice does not know definitions */
  status: null;
  windowFrom: string | null;
  windowUntil: string | null;
  /** `other` counts cancelled runs, which the original does not know */
  statusBreakdown: Record<'ok' | 'error' | 'timeout' | 'limit' | 'other' | 'total', number>;
  successRate: number;
  errorRate: number;
  duration: { avgMs: number; p50Ms: number; p95Ms: number; p99Ms: number; maxMs: number; sampleSize: number };
  durationHistogram: UpstreamBin[];
  topErrors: { code: string; count: number }[];
  topCases: { caseName: string | null; count: number }[];
  pointsHistogram: UpstreamBin[];
  pointsSum: number;
  nodesAvg: number;
  nodesMax: number;
}

/** A bin in the format of the original's clients. */
export interface UpstreamBin {
  label: string;
  /** null in the last bin of durations */
  upperBound: number | null;
  count: number;
}

/**
 * A percentile as NumPy computes it by default: interpolated linearly between the two values at `(n - 1) · share`.
 *
 * @returns 0 for no values
 */
export function numpyPercentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const position = (sorted.length - 1) * share;
  const low = sorted[Math.floor(position)];
  const high = sorted[Math.ceil(position)];
  if (low === undefined || high === undefined) return 0;
  return low + (high - low) * (position - Math.floor(position));
}

/** Thirteen bins, including empty ones. A value that equals a bound belongs to the bin below it. */
export function upstreamDurationBins(values: readonly number[]): UpstreamBin[] {
  const counts = new Array<number>(durationEdgesMs.length + 1).fill(0);
  for (const value of values) {
    const edge = durationEdgesMs.findIndex((upTo) => value <= upTo);
    const index = edge === -1 ? durationEdgesMs.length : edge;
    counts[index] = (counts[index] ?? 0) + 1;
  }
  return labelDurationBins(counts);
}

/** @param counts of the 13 bins */
export function labelDurationBins(counts: readonly number[]): UpstreamBin[] {
  return counts.map((count, index) => {
    const upperBound = durationEdgesMs[index] ?? null;
    return { label: upperBound === null ? `>${durationEdgesMs.at(-1)}ms` : `≤${upperBound}ms`, upperBound, count };
  });
}

/** Ten bins of equal width; one bin if all values are equal; without values, one with the label 0. */
export function upstreamPointsBins(values: readonly number[]): UpstreamBin[] {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) [min, max] = [Math.min(min, value), Math.max(max, value)];
  const counts = new Array<number>(min < max ? pointsBinCount : 1).fill(0);
  for (const value of values) {
    // The highest value belongs to the last bin.
    const index =
      min < max ? Math.min(Math.floor(((value - min) / (max - min)) * pointsBinCount), pointsBinCount - 1) : 0;
    counts[index] = (counts[index] ?? 0) + 1;
  }
  return values.length === 0 ? labelPointsBins(null, []) : labelPointsBins({ min, max }, counts);
}

/** @param counts of the ten bins, or of the only one if all values are equal */
export function labelPointsBins(range: { min: number; max: number } | null, counts: readonly number[]): UpstreamBin[] {
  if (range === null) return [{ label: '0', upperBound: 0, count: 0 }];
  const { min, max } = range;
  if (min === max) return [{ label: sixDigits(min), upperBound: max, count: counts[0] ?? 0 }];
  const width = (max - min) / pointsBinCount;
  return counts.map((count, index) => {
    const upperBound = index === counts.length - 1 ? max : min + width * (index + 1);
    return { label: `${sixDigits(min + width * index)}–${sixDigits(upperBound)}`, upperBound, count };
  });
}

/** A number as C's `%g` prints it: six significant digits, no trailing zeros, and a two-digit exponent if it is far from 1. */
export function sixDigits(value: number): string {
  if (value === 0) return '0';
  const [mantissa = '', power = '0'] = value.toExponential(5).split('e');
  const exponent = Number(power);
  if (exponent >= -4 && exponent < 6) return String(Number(value.toPrecision(6)));
  return `${Number(mantissa)}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}
