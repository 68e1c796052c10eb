import type { Tally } from './estimates.ts';

/** A bin of a histogram: values above `above`, up to and including `upTo`. */
export interface DurationBin extends Tally {
  /** ms; exclusive, null in the first bin */
  aboveMs: number | null;
  /** ms; inclusive, null in the last bin */
  upToMs: number | null;
}

/** A bin of a histogram of points: values from `from` to below `below`; the last bin includes the highest value. */
export interface PointsBin extends Tally {
  from: number;
  below: number;
}

/** Upper bounds of the duration bins in ms; a 13th bin has longer durations. */
export const durationEdgesMs = [5, 10, 25, 50, 100, 150, 200, 250, 500, 1_000, 2_500, 5_000] as const;

export const pointsBinCount = 10;

const none: Tally = { rows: 0, runs: 0 };

/** All 13 bins, including empty ones. @param tallies by the index of the bin, 0 to 12 */
export function toDurationBins(tallies: ReadonlyMap<number, Tally>): DurationBin[] {
  return [...durationEdgesMs, null].map((upToMs, index) => ({
    aboveMs: durationEdgesMs[index - 1] ?? null,
    upToMs,
    ...(tallies.get(index) ?? none),
  }));
}

/**
 * Ten bins of equal width from the lowest to the highest value; one bin if all values are equal, none without values.
 *
 * @param tallies by the index of the bin, 0 to 9
 */
export function toPointsBins(
  range: { min: number; max: number } | null,
  tallies: ReadonlyMap<number, Tally>,
): PointsBin[] {
  if (range === null) return [];
  const { min, max } = range;
  if (min === max) return [{ from: min, below: max, ...(tallies.get(0) ?? none) }];
  const edge = (index: number): number =>
    index === pointsBinCount ? max : min + ((max - min) * index) / pointsBinCount;
  return Array.from({ length: pointsBinCount }, (_, index) => ({
    from: edge(index),
    below: edge(index + 1),
    ...(tallies.get(index) ?? none),
  }));
}
