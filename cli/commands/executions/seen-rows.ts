import type { RowKey } from '../../../queries/executions/tail.ts';

/**
 * Which rows a tail has told of, and from when on it has to look for others.
 *
 * A row carries the time of its run, and becomes visible when its batch commits: later by milliseconds as a rule, by as much
 * as an outage takes at worst, and in no certain order. So a tail cannot go on after the last row that it has read. It reads
 * everything again from some time before that row on, the horizon, and leaves out what it remembers.
 *
 * Promised: no row comes twice, and one is missed only when its run was recorded more than `lateMs` before the tail began, or
 * before another one that was told of first. While nothing arrives, the horizon stays where it is: what an outage held up is told of when it comes. A row from a
 * clock that is ahead does not move the horizon beyond the database's own time.
 */
export class SeenRows {
  readonly #lateMs: number;
  readonly #seen = new Map<string, RowKey>();
  #horizonMs: number;

  constructor(options: { startMs: number; lateMs: number }) {
    this.#lateMs = options.lateMs;
    this.#horizonMs = options.startMs - options.lateMs;
  }

  /** Rows from then on may still be new. */
  get horizon(): Date {
    return new Date(this.#horizonMs);
  }

  /** Rows from the horizon on that were told of. */
  get keys(): readonly RowKey[] {
    return [...this.#seen.values()];
  }

  /** Those that were not told of yet, in the order given; they are from now on. @param nowMs by the database's clock */
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
