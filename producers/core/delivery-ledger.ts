import type { SpillBatch } from '../spill/batch-reader.ts';
import type { SpillMetrics } from '../spill/metrics.ts';
import type { AppendResult } from '../spill/spill.ts';
import { countRecords } from './chunker.ts';
import { createDeliveryAcks } from './delivery-acks.ts';
import type { DeliveryTallies } from './delivery-tallies.ts';
import type { SettledChunk } from './outgoing-chunk.ts';
import type { ProblemLog } from './problem-log.ts';
import type { Entry } from './record-buffer.ts';
import type { RecordRefusedError } from './refusal.ts';
import type { RefusedOnDisk } from './send-apart.ts';

/** What became of the records that a producer has put into its buffer. */
export interface DeliveryCounts {
  /** acknowledged by Redis, whether they had been on disk or not */
  sent: number;
  /** permanently refused by Redis because of their content, and left out */
  refused: number;
  /** on disk, waiting for Redis; 0 without a spill */
  spilled: number;
  /** on disk when another session took this one for dead after a long stall; the other one sends them */
  takenOver: number;
  /** records of earlier sessions that were on disk and reached Redis; they are in no other count */
  recovered: number;
}

/** What a producer does when its records are delivered or not; the ledger has counted them before. */
export interface DeliveryListener<E extends Entry> {
  /** Redis has acknowledged so many records */
  onSent?(records: number): void;
  /** Redis permanently refuses so many records */
  onRefused?(records: number): void;
  /** Records are lost: left unsent by close, or damaged on disk. Of the latter only the number is known. */
  onDropped(records: number, entries: readonly E[]): void;
  /** an attempt to send failed; it is repeated */
  onSendFailed(): void;
}

/** Sends that wait for room in the buffer. */
export interface Waiters {
  readonly size: number;
  /** Admits as many as there is room for. */
  admitWaiting(): void;
  /** Rejects all of them. */
  close(error: Error): void;
}

/** What the ledger works with. */
export interface LedgerOptions<E extends Entry> {
  listener: DeliveryListener<E>;
  waiters: Waiters | null;
  tallies: DeliveryTallies;
  problems: ProblemLog;
  /** null without a spill */
  spillMetrics: SpillMetrics | null;
}

/** Counts what becomes of each record, once, and tells everybody who has to know: listener, waiting sends, metrics, log. */
export function createDeliveryLedger<E extends Entry>(options: LedgerOptions<E>) {
  const { listener, waiters, tallies, problems, spillMetrics } = options;
  const acks = createDeliveryAcks();
  const counts: DeliveryCounts = { sent: 0, refused: 0, spilled: 0, takenOver: 0, recovered: 0 };

  const countSent = (records: number): void => {
    counts.sent += records;
    listener.onSent?.(records);
  };

  const countRefused = (records: number): void => {
    counts.refused += records;
    listener.onRefused?.(records);
  };

  const leaveDisk = (records: number): void => {
    counts.spilled -= records;
    if (counts.spilled > 0) return;
    acks.diskIsEmpty();
    tallies.diskIsEmpty();
  };

  return {
    counts: counts as Readonly<DeliveryCounts>,

    /** Redis has acknowledged chunks from memory. */
    sent(chunks: readonly SettledChunk<E>[]): void {
      countSent(countRecords(chunks));
      tallies.sent(chunks);
      acks.sent(chunks);
      waiters?.admitWaiting();
    },

    /** Redis permanently refuses a record from memory. */
    refused(entry: E, error: RecordRefusedError): void {
      countRefused(1);
      tallies.refused(entry);
      entry.ack?.fail(error);
      waiters?.admitWaiting();
      problems.report('refused', error);
    },

    /** An attempt to send failed. */
    failed(error: Error): void {
      listener.onSendFailed();
      problems.report('send_failed', error);
    },

    /** Redis is nearly full, and successes are held back; null: they are added again. */
    heldBack(reason: Error | null): void {
      problems.report(reason === null ? 'successes_added' : 'successes_held_back', reason);
    },

    /** Chunks are on disk and have left the buffer. */
    spilled(chunks: readonly SettledChunk<E>[]): void {
      const records = countRecords(chunks);
      spillMetrics?.count('written', records);
      counts.spilled += records;
      tallies.spilled(chunks);
      acks.spilled(chunks);
      waiters?.admitWaiting();
    },

    /** The disk did not take chunks; they wait in the buffer. */
    notSpilled(result: Exclude<AppendResult, { status: 'written' }>): void {
      spillMetrics?.refused(result.status);
      if (result.status === 'full') problems.report('spill_full', null);
      else problems.report('spill_failed', result.error);
    },

    /** A batch has left the disk: Redis has all of it, except for the refused records. */
    replayed({ chunks, records, isOwn }: SpillBatch, refused: readonly RefusedOnDisk[]): void {
      const sent = records - refused.length;
      for (const { error } of refused) problems.report('refused', error);
      spillMetrics?.count('refused', refused.length);
      spillMetrics?.count(isOwn ? 'replayed' : 'recovered', sent);
      if (!isOwn) {
        counts.recovered += sent;
        return;
      }
      countRefused(refused.length);
      countSent(sent);
      tallies.replayed(chunks, refused);
      acks.replayed(chunks, refused);
      leaveDisk(records);
    },

    /** Bytes on disk are no intact chunks; records are known where they are of this session. */
    lost({ bytes, ownRecords }: { bytes: number; ownRecords: number }): void {
      spillMetrics?.lostBytes(bytes);
      spillMetrics?.count('lost', ownRecords);
      leaveDisk(ownRecords);
      listener.onDropped(ownRecords, []);
      problems.report('spill_lost', null);
    },

    /** Another session has taken over records of this one and sends them. */
    takenOver(records: number): void {
      spillMetrics?.count('taken_over', records);
      counts.takenOver += records;
      leaveDisk(records);
    },

    /** These records did not leave the memory before the end: those that were in no chunk yet, and those of chunks. */
    givenUp(waiting: readonly E[], chunks: readonly SettledChunk<E>[]): void {
      for (const { tally } of waiting) tally?.dropWaiting('unsent');
      tallies.givenUp(chunks);
      const entries = [...waiting, ...chunks.flatMap((chunk) => chunk.entries)];
      listener.onDropped(entries.length, entries);
      acks.givenUp(entries);
    },

    /** The end: what is on disk stays there. */
    close: acks.close,

    /** Something is wrong with the disk, or with what is on it. */
    diskFailed(error: Error): void {
      problems.report('spill_failed', error);
    },
  };
}

export type DeliveryLedger<E extends Entry = Entry> = ReturnType<typeof createDeliveryLedger<E>>;
