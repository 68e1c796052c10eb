import { join } from 'node:path';
import type { Registry } from 'prom-client';
import type { QueueName } from '../../shared/contracts/queues.ts';
import type { SpillSide } from '../core/chunk-sender.ts';
import { countRecords, type OutgoingChunk } from '../core/chunker.ts';
import type { ProblemLog } from '../core/problem-log.ts';
import type { Entry } from '../core/record-buffer.ts';
import type { RefusedOnDisk } from '../core/send-apart.ts';
import type { SpillBatch } from './batch-reader.ts';
import { createSpillMetrics } from './metrics.ts';
import { createSpill } from './spill.ts';

/** Whose records are on the disk, and who therefore hears of them. */
export interface SpillAccounts<E extends Entry = Entry> {
  /** chunks that were written to disk */
  spilled(chunks: readonly OutgoingChunk<E>[]): void;
  /** chunks of this life that were on disk and are in Redis now */
  replayed(batch: SpillBatch): void;
  /** records of this life that were on disk and that Redis refuses for good; told before their batch is replayed */
  refusedOnDisk(refused: readonly RefusedOnDisk[]): void;
  /** records of former lives that reached Redis */
  recovered(records: number): void;
  /** records of this life that are damaged on disk, or gone from it */
  lost(records: number): void;
  /** records of this life that were on disk when another life took this one for dead; that one sends them */
  takenOver(records: number): void;
  stats(): { spilled: number };
}

/** The disk of one producer, and whom it tells what. */
export interface SpillSideOptions<E extends Entry = Entry> {
  settings: { dir: string; maxBytes: number; fsyncMs: number };
  namespace: string;
  queue: QueueName;
  /** `<producer>-<epoch>.<random>` */
  life: string;
  /** asked when there is something to tell; they are made after their spill */
  accounts: () => SpillAccounts<E>;
  registry: Registry;
  problems: ProblemLog;
  now: () => number;
  /** former lives left something to replay */
  onFound(): void;
}

/** Puts the spill together with the producer's accounts, the metrics and the log. `close` takes its metrics away. */
export function createSpillSide<E extends Entry>(options: SpillSideOptions<E>): SpillSide<E> & { close(): void } {
  const { accounts, problems, settings } = options;
  const metrics = createSpillMetrics(options.registry, options.queue, () => ({
    records: accounts().stats().spilled,
    bytes: store.bytes,
  }));
  const store = createSpill({
    // Chunks of another fleet or queue must not be replayed into this one.
    dir: join(settings.dir, `${options.namespace}.${options.queue}`),
    life: options.life,
    maxBytes: settings.maxBytes,
    fsyncMs: settings.fsyncMs,
    now: options.now,
    onFound: options.onFound,
    onLost({ bytes, ownRecords }) {
      metrics.lostBytes(bytes);
      metrics.count('lost', ownRecords);
      accounts().lost(ownRecords);
      problems.report('spill_lost', null);
    },
    onTakenOver(ownRecords) {
      metrics.count('taken_over', ownRecords);
      accounts().takenOver(ownRecords);
    },
    onTrouble: (error) => problems.report('spill_failed', error),
  });
  return {
    store,
    onSpilled(chunks) {
      metrics.count('written', countRecords(chunks));
      accounts().spilled(chunks);
    },
    onReplayed(batch, refused) {
      for (const { error } of refused) problems.report('refused', error);
      metrics.count('refused', refused.length);
      const records = batch.records - refused.length;
      metrics.count(batch.isOwn ? 'replayed' : 'recovered', records);
      if (!batch.isOwn) return accounts().recovered(records);
      accounts().refusedOnDisk(refused);
      accounts().replayed({ ...batch, records });
    },
    onRefused(refusal) {
      metrics.refused(refusal.status);
      if (refusal.status === 'full') problems.report('spill_full', null);
      else problems.report('spill_failed', refusal.error);
    },
    close: metrics.close,
  };
}
