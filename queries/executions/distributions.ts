import { Prisma } from '../../shared/platform/postgres/database.ts';
import type { Tally } from './estimates.ts';
import { type DurationBin, type PointsBin, pointsBinCount, toDurationBins, toPointsBins } from './histograms.ts';
import type { Part } from './parts.ts';
import { type PercentileColumns, type Percentiles, percentilesFrom, toPercentiles } from './percentiles.ts';
import { histogramBin } from './runs.ts';

/** Ok runs are separate from failures: otherwise a few timeouts would make up the whole tail. */
export interface ByResult<T> {
  ok: T;
  failed: T;
}

type PercentileRow = PercentileColumns & { ok: boolean; rows: number };

export const percentilesPart: Part<PercentileRow, ByResult<Percentiles>> = {
  needsOutcomeCounts: false,
  query: percentilesFrom('bins', { ok: `(status = 'ok')` }, { where: 'true', intervals: true }),
  read: (rows) => ({
    ok: toPercentiles(rows.find(({ ok }) => ok)),
    failed: toPercentiles(rows.find(({ ok }) => !ok)),
  }),
};

type BinRow = Tally & { ok: boolean; bin: number };

export const durationBinsPart: Part<BinRow, ByResult<DurationBin[]>> = {
  needsOutcomeCounts: false,
  query: Prisma.sql`select status = 'ok' as ok, ${histogramBin} as bin, sum(n) as rows, sum(n * weight) as runs
    from bins where bin is not null group by 1, 2`,
  read(rows) {
    const binsOf = (result: boolean) =>
      toDurationBins(
        new Map(rows.filter(({ ok }) => ok === result).map(({ bin, rows, runs }) => [bin, { rows, runs }])),
      );
    return { ok: binsOf(true), failed: binsOf(false) };
  },
};

type PointsRow = Tally & { bin: number; low: number; high: number };

/** Of ok runs: a failed run scores no points. */
export const pointsBinsPart: Part<PointsRow, PointsBin[]> = {
  needsOutcomeCounts: true,
  // Bins of equal width from the lowest value to the highest; the last bin includes the highest.
  query: Prisma.raw(`select case when low < high
      then least(width_bucket(points, low, high, ${pointsBinCount}), ${pointsBinCount}) - 1 else 0 end as bin,
      sum(n) as rows, sum(n * weight) as runs, min(low) as low, max(high) as high
    from outcome_counts cross join points_range where points is not null group by 1`),
  read(rows) {
    const [first] = rows;
    const tallies = new Map(rows.map(({ bin, rows, runs }) => [bin, { rows, runs }]));
    return toPointsBins(first === undefined ? null : { min: first.low, max: first.high }, tallies);
  },
};
