import type { StatusSummary } from '../executions/statuses.ts';

/** Records of a window that have no row, by the ledger, whichever strategy they are of. */
export interface AbsentRecords {
  /** by producers, which had no room for them */
  dropped: number;
  /** by Redis, for good */
  refused: number;
  /** dead letters */
  dead: number;
  /** in chunks that have not arrived: they are in flight, or missing */
  notArrived: number;
}

/** What has no row in a window, and how much that could change its figures. */
export interface Absent extends AbsentRecords {
  records: number;
  /** the failure rate if all of them were failures of this strategy, and if all were ok runs of it; null: no row to compare with */
  failureRate: { low: number; high: number } | null;
}

/**
 * How far the figures could be off. Nobody knows which strategy these records are of. A failed run stands for itself alone; an ok
 * run for as many as those that are stored, on average.
 *
 * @param absent null: unknown
 * @returns null if every record of the window has its row, or that is unknown
 */
export function toAbsent(absent: AbsentRecords | null, { statuses, failed, total }: StatusSummary): Absent | null {
  if (absent === null) return null;
  const records = absent.dropped + absent.refused + absent.dead + absent.notArrived;
  if (records === 0) return null;
  const { ok } = statuses;
  const okWeight = ok.rows === 0 ? 1 : ok.runs / ok.rows;
  return {
    ...absent,
    records,
    failureRate:
      total.rows === 0
        ? null
        : {
            low: failed.runs / (total.runs + records * okWeight),
            high: (failed.runs + records) / (total.runs + records),
          },
  };
}
