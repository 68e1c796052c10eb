import type { RowKey } from '../../../queries/executions/tail.ts';

/**
 * Which rows a tail has reported, and from which time on it has to look for others.
 *
 * A row carries the time of its run, and becomes visible when its batch commits: usually milliseconds later, at worst by as much
 * as an outage lasts, and in no particular order. So a tail cannot continue after the last row that it read. It reads everything
 * again from some time before that row, the horizon, and leaves out the rows that it remembers.
 *
 * Guarantees: no row is reported twice, and one is missed only if its run was recorded more than `lateMs` before the tail
 * started, or before a row that was reported first. While nothing arrives, the horizon stays where it is, so rows that an outage
 * delayed are reported when they arrive. A row from a clock that is ahead does not move the horizon beyond the database's time.
 */
export class SeenRows {
  readonly #lateMs: number;
  readonly #seen = new Map<string, RowKey>();
  #horizonMs: number;

  constructor(options: { startMs: number; lateMs: number }) {
    this.#lateMs = options.lateMs;
    this.#horizonMs = options.startMs - options.lateMs;
  }

  /** Rows from this time on may still be new. */
  get horizon(): Date {
    return new Date(this.#horizonMs);
  }

  /** Rows from the horizon on that were reported. */
  get keys(): readonly RowKey[] {
    return [...this.#seen.values()];
  }

  /** The rows not reported yet, in the given order; from now on they are. @param nowMs by the database's clock */
  take<Row extends RowKey>(rows: readonly Row[], nowMs: number): Row[] {
    const fresh: Row[] = [];
    let newestMs = this.#horizonMs + this.#lateMs;
    for (const row of rows) {
      const { id, recordedAt } = row;
      const key = `${id} ${recordedAt.getTime()}`;
      if (recordedAt.getTime() < this.#horizonMs || this.#seen.has(key)) continue;
      this.#seen.set(key, { id, recordedAt });
      fresh.push(row);
      newestMs = Math.max(newestMs, Math.min(recordedAt.getTime(), nowMs));
    }
    this.#horizonMs = newestMs - this.#lateMs;
    for (const [key, { recordedAt }] of this.#seen) {
      if (recordedAt.getTime() < this.#horizonMs) this.#seen.delete(key);
    }
    return fresh;
  }
}
