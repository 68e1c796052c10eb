import { Prisma } from '../../shared/platform/postgres/database.ts';
import { isTooFewForPercentile, z95 } from './estimates.ts';

/** A percentile of weighted runs. */
export interface Percentile {
  /** ms; null without a run */
  value: number | null;
  /** with 95 % confidence, the percentile of all runs lies from `low` to `high`, which includes the error of the bins */
  low: number | null;
  high: number | null;
  /** the stored rows that it is based on */
  rows: number;
  /** true: fewer than five stored rows lie beyond it */
  tooFew: boolean;
}

/** The percentiles of durations that are shown. */
export const percentileShares = { p50: 0.5, p95: 0.95, p99: 0.99 } as const;
type PercentileName = keyof typeof percentileShares;

export type Percentiles = Record<PercentileName, Percentile>;

/** The columns of `percentilesFrom`, with the number of rows. */
export type PercentileColumns = Record<PercentileName, number | null> &
  Partial<Record<`${PercentileName}_low` | `${PercentileName}_high`, number | null>>;

/**
 * A query for the percentiles of durations in each group of a CTE.
 *
 * A percentile is the smallest duration that the given share of the runs does not exceed, each row counted with its weight.
 * Bins are 5 % wide. Within its bin, a percentile is interpolated by rank between the bin's lowest and highest value, on the
 * curve whose mean is that of the bin. It is exact if a bin has at most two rows or equal rows, usually off by a tenth of a
 * percent if it has many, and never off by more than 5 %.
 *
 * The confidence interval is Woodruff's: the percentiles that lie 1.96 standard errors of the share below and above,
 * √(p·(1 − p) / n), where n is the effective number of rows, (Σ weight)² / Σ weight². It reaches from the lowest value of the
 * lower bin to the highest value of the upper one, so that the position of a value within its bin does not matter.
 *
 * @param group columns or expressions of the table, by the names that they get
 * @param options.where which rows of the table
 * @param options.intervals whether to include the confidence intervals
 * @param options.merges false if no two of these rows have the same group and bin, which saves a step. @default true
 */
export function percentilesFrom(
  table: 'duration_counts' | 'bins' | 'time_counts' | 'group_time_counts',
  group: Record<string, string>,
  { where, intervals, merges = true }: { where: string; intervals: boolean; merges?: boolean },
): Prisma.Sql {
  const names = Object.keys(group).join(', ');
  const columns = Object.entries(group).map(([name, expression]) => `${expression} as ${name}`);
  const picks = Object.entries(percentileShares).flatMap(([name, share]) => [
    `${pick(`${share}`, placeOf)} as ${name}`,
    ...(intervals
      ? [
          `${pick(`${share} - ${errorOf(share)}`, () => 'low')} as ${name}_low`,
          `${pick(`${share} + ${errorOf(share)}`, () => 'high')} as ${name}_high`,
        ]
      : []),
  ]);
  return Prisma.raw(`select ${names}, sum(n) as rows, ${picks.join(', ')}
    from (
      select ${names}, n, w, low, high, mean, sum(w) over (partition by ${names} order by bin rows unbounded preceding) as upto,
        sum(w) over whole as total, (sum(w) over whole) ^ 2 / sum(w2) over whole as effective_n
      from (
        select ${columns.join(', ')}, bin, ${merges ? mergedBin : singleBin}
        from ${table} where bin is not null and ${where}${merges ? ` group by ${columns.map((_, index) => index + 1).join(', ')}, bin` : ''}
      ) as binned
      window whole as (partition by ${names})
    ) as placed
    group by ${names}`);
}

const singleBin =
  'n, n * weight as w, n * weight * weight as w2, duration_min as low, duration_max as high, duration_sum / n as mean';
const mergedBin = `sum(n) as n, sum(n * weight) as w, sum(n * weight * weight) as w2, min(duration_min) as low,
          max(duration_max) as high, sum(duration_sum) / sum(n) as mean`;

function errorOf(share: number): string {
  return `${z95 * Math.sqrt(share * (1 - share))} / sqrt(effective_n)`;
}

/**
 * The value at a share of the runs, from the bin in which their cumulative number passes it. If rounding places it between
 * two bins, both are selected, and the lower of the two values is taken.
 *
 * @param value of the bin, at a target within it
 */
function pick(share: string, value: (target: string) => string): string {
  const target = `total * least(greatest(${share}, 1e-9), 1 - 1e-9)`;
  return `min(${value(target)})
      filter (where upto >= ${target} and upto - w < ${target} + total * 1e-10)`;
}

/**
 * The value of a bin at a target, by its rank: `low + (high - low) · part ^ bend`. The part goes from 0 at the lowest row to 1
 * at the highest, and the bend gives the bin its mean: 1 is a straight line, more means that values crowd at the lower end.
 */
function placeOf(target: string): string {
  const rank = `ceil((${target} - upto + w) / w * n - 1e-6)`;
  const part = `greatest(${rank} - 1, 0) / (n - 1)`;
  const bend = `least(greatest((high - low) / nullif(greatest(mean - low, 0), 0) - 1, 0.01), 100)`;
  return `low + case when n > 1 and high > low then (high - low) * power(${part}, coalesce(${bend}, 100)) else 0 end`;
}

export function toPercentiles(columns: (PercentileColumns & { rows: number }) | undefined): Percentiles {
  const read = (name: PercentileName): Percentile => ({
    value: columns?.[name] ?? null,
    low: columns?.[`${name}_low`] ?? null,
    high: columns?.[`${name}_high`] ?? null,
    rows: columns?.rows ?? 0,
    tooFew: isTooFewForPercentile(columns?.rows ?? 0, percentileShares[name]),
  });
  return { p50: read('p50'), p95: read('p95'), p99: read('p99') };
}
