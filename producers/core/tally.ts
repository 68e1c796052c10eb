import type { RecordRun } from '../../shared/contracts/chunk.ts';
import type { LedgerCounters } from '../../shared/contracts/ledger-report.ts';

/**
 * Why a record was dropped before it was in a chunk: there was no room, it came after `close`, it could not be read, or `close`
 * could not send it in time.
 */
export type DropReason = 'bufferFull' | 'closed' | 'unreadable' | 'unsent';

/**
 * The records of one minute and one realm. Each is counted under the one thing that has become of it, from the call that recorded
 * it on; `waiting` and what follows it are the stations of a record that was kept.
 */
export class Tally {
  /** since 1970 */
  readonly minute: number;
  /** null: none */
  readonly realm: string | null;
  sampledOut = 0;
  disabled = 0;
  readonly dropped: Partial<Record<DropReason, number>> = {};
  /** in the buffer, and in no chunk yet */
  waiting = 0;
  /** in numbered chunks */
  chunked = 0;
  /** of those: acknowledged by Redis */
  sent = 0;
  /** of those: permanently refused by Redis */
  refused = 0;
  /** of those: given up by `close`, gone from the disk, or not followed on it; they may have arrived */
  left = 0;
  /** `progress` at the last report that Redis has acknowledged */
  reported = 0;

  constructor(minute: number, realm: string | null) {
    this.minute = minute;
    this.realm = realm;
  }

  /** Grows with everything that a report says. */
  get progress(): number {
    return this.#recorded + this.#dropped + this.chunked + this.sent + this.refused;
  }

  /** Whether something may still become of its records. */
  get isOpen(): boolean {
    return this.waiting > 0 || this.chunked > this.sent + this.refused + this.left;
  }

  /** A record that waited is dropped. */
  dropWaiting(reason: DropReason): void {
    this.waiting -= 1;
    this.drop(reason);
  }

  /** A record is dropped that never waited. */
  drop(reason: DropReason): void {
    this.dropped[reason] = (this.dropped[reason] ?? 0) + 1;
  }

  /** A record that waited is in a chunk now. */
  chunk(): void {
    this.waiting -= 1;
    this.chunked += 1;
  }

  /** Without what is 0. */
  counters(): LedgerCounters {
    const { sampledOut, disabled, dropped, refused, chunked, sent } = this;
    const counters = { recorded: this.#recorded, sampledOut, disabled, refused, chunked, sent };
    return {
      ...Object.fromEntries(Object.entries(counters).filter(([, records]) => records > 0)),
      ...(this.#dropped > 0 ? { dropped: { ...dropped } } : {}),
    };
  }

  /** Adds what another one has counted. */
  add(other: Tally): void {
    this.sampledOut += other.sampledOut;
    this.disabled += other.disabled;
    for (const [reason, records] of Object.entries(other.dropped))
      this.dropped[reason as DropReason] = (this.dropped[reason as DropReason] ?? 0) + records;
    this.waiting += other.waiting;
    this.chunked += other.chunked;
    this.sent += other.sent;
    this.refused += other.refused;
    this.left += other.left;
  }

  get #dropped(): number {
    let sum = 0;
    for (const records of Object.values(this.dropped)) sum += records;
    return sum;
  }

  get #recorded(): number {
    return this.sampledOut + this.disabled + this.#dropped + this.waiting + this.chunked;
  }
}

/** So many records in a row are of one tally. */
export interface TallyRun {
  tally: Tally;
  records: number;
}

/** The run lengths of entries, in their order; null when one of them is of no tally. */
export function tallyRuns(entries: readonly { readonly tally?: Tally | null }[]): TallyRun[] | null {
  const runs: TallyRun[] = [];
  let last: TallyRun | null = null;
  for (const { tally } of entries) {
    if (tally === undefined || tally === null) return null;
    if (last?.tally === tally) last.records += 1;
    else {
      last = { tally, records: 1 };
      runs.push(last);
    }
  }
  return runs;
}

/** The same as the head of a chunk has them. */
export function toRecordRuns(runs: readonly TallyRun[]): RecordRun[] {
  return runs.map(({ tally: { realm, minute }, records }) => [realm, minute, records]);
}
