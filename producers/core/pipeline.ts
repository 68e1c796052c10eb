import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { reportLimits } from '../../shared/contracts/ledger-report.ts';
import type { QueueName } from '../../shared/contracts/queues.ts';
import { withDeadline } from '../../shared/platform/deadline.ts';
import { createSpillMetrics } from '../spill/metrics.ts';
import { createSpill, type Spill } from '../spill/spill.ts';
import { createNumbers } from './chunk-numbers.ts';
import { createChunkSender } from './chunk-sender.ts';
import { createDeliveryLedger, type DeliveryLedger, type DeliveryListener, type Waiters } from './delivery-ledger.ts';
import { createDeliveryTallies } from './delivery-tallies.ts';
import type { PipelineParts } from './pipeline-parts.ts';
import { type Entry, RecordBuffer } from './record-buffer.ts';
import { createReporter } from './reporter.ts';
import { SenderClosedError } from './send-errors.ts';
import { createChunkers } from './shard-chunkers.ts';
import { createShardMetrics } from './shard-metrics.ts';
import { Tallies } from './tallies.ts';
import type { Sharding } from './transport.ts';

/** How a flush or a close ended. */
export interface DrainResult {
  /** records that reached Redis since the call */
  flushed: number;
  /** records that did not and are not on disk: still in the buffer after a flush, dropped after a close */
  unflushed: number;
  /** records on disk, waiting for Redis; after a close, for the next session. 0 without a spill */
  spilled: number;
}

/** The parts, and who puts records in. */
export interface PipelineOptions<E extends Entry> extends PipelineParts {
  listener: DeliveryListener<E>;
  /** null: nobody waits, and a full buffer turns records away */
  waiters: Waiters | null;
}

const oneShard: Sharding = { shards: 1, shardOf: null };
/** What the producer of a queue is, to the ledger. */
const kinds: Record<QueueName, string> = {
  'execution-log': 'execution-observer',
  'completed-request': 'request-sender',
};
const defaultFlushTimeoutMs = 30_000;
const defaultCloseTimeoutMs = 5_000;

/** From the buffer to the queue, with the spill where there is a directory for it. Nothing connects until there is a record. */
export function createPipeline<E extends Entry>(options: PipelineOptions<E>) {
  const { identity, listener, now = Date.now, problems, settings, sharding = oneShard, transport, waiters } = options;
  const { shards, shardOf } = sharding;
  const buffer = new RecordBuffer<E>(options.buffer);
  const spillMetrics =
    settings.spill.dir === null
      ? null
      : createSpillMetrics(options.registry, options.queue, () => ({
          records: ledger.counts.spilled,
          bytes: spill?.bytes ?? 0,
        }));
  const shardMetrics =
    shards === 1 ? null : createShardMetrics(options.registry, options.queue, () => transport.shardsLeftAlone ?? 0);
  const numbers = createNumbers();
  const tallies = new Tallies({ now, onBegin: () => reporter.begin() });
  const ledger: DeliveryLedger<E> = createDeliveryLedger<E>({
    listener,
    waiters,
    tallies: createDeliveryTallies(numbers, tallies),
    problems,
    spillMetrics,
  });
  const spill = createSpillOf(options, ledger, () => sender.replay());
  const sender = createChunkSender<E>({
    buffer,
    chunkers: createChunkers(buffer, settings.chunk, identity, sharding, numbers),
    chunkerOf: shards === 1 ? null : shardOf && ((data) => shardOf(data, shards)),
    requestIdOf: options.requestIdOf ?? null,
    transport,
    maxWaitMs: settings.chunk.maxWaitMs,
    random: options.random,
    hooks: ledger,
    spill,
  });
  const reporter = createReporter({
    ...{ identity, kind: options.kind ?? kinds[options.queue], tallies, now },
    state: () => ({
      lastSeq: numbers.lastSeq,
      chunkedRecords: numbers.records,
      unacknowledged: numbers.unacknowledged.list(reportLimits.unacknowledged),
      spilledRecords: ledger.counts.spilled,
      takenOverRecords: ledger.counts.takenOver,
    }),
    send: async (report) => transport.report?.(report),
  });
  let closing: Promise<DrainResult> | null = null;

  const resultSince = (sentBefore: number, unflushed: number): DrainResult => {
    const { sent, spilled } = ledger.counts;
    return { flushed: sent - sentBefore, unflushed, spilled };
  };

  const flushUntil = (timeoutMs: number): Promise<void> =>
    withDeadline(timeoutMs, async (signal) => {
      await sender.flush(signal);
      // Waiters are let in over several turns, and the buffer may be empty in between.
      while (waiters !== null && !signal.aborted) {
        await nextTurn();
        if (waiters.size === 0 && buffer.held.records === 0) return;
        await sender.flush(signal);
      }
    });

  const closeWithin = async (timeoutMs: number): Promise<DrainResult> => {
    const sentBefore = ledger.counts.sent;
    const endsAt = performance.now() + timeoutMs;
    try {
      await flushUntil(timeoutMs);
      waiters?.close(new SenderClosedError('the sender was closed before there was room for the record'));
      // Before the last report, which then knows of it.
      const unsent = sender.giveUpWaiting();
      await reporter.close(endsAt - performance.now());
      const cutOff = await sender.stop();
      ledger.close();
      return resultSince(sentBefore, unsent + cutOff);
    } finally {
      spillMetrics?.close();
      shardMetrics?.close();
    }
  };

  return {
    buffer,
    counts: ledger.counts,
    /** Where records are counted for the ledger, from the call on. */
    tallies,
    /** Says that the buffer has something new. */
    notify: sender.notify,
    /** Whether `close` was called. */
    get isClosing(): boolean {
      return closing !== null;
    },

    /** Sends what is buffered, what waits for room, and what is on disk. @param options.timeoutMs in ms. @default 30000 */
    async flush({ timeoutMs = defaultFlushTimeoutMs }: { timeoutMs?: number } = {}): Promise<DrainResult> {
      const sentBefore = ledger.counts.sent;
      if (closing === null) await flushUntil(timeoutMs);
      return resultSince(sentBefore, buffer.held.records);
    },

    /** Flushes and stops, once, and takes the metrics of spill and shards away. @param options.timeoutMs in ms. @default 5000 */
    close({ timeoutMs = defaultCloseTimeoutMs }: { timeoutMs?: number } = {}): Promise<DrainResult> {
      closing ??= closeWithin(timeoutMs);
      return closing;
    },
  };
}

export type Pipeline<E extends Entry> = ReturnType<typeof createPipeline<E>>;

/** @param onFound earlier sessions left something to replay */
function createSpillOf<E extends Entry>(
  { identity, namespace, queue, settings }: PipelineParts,
  ledger: DeliveryLedger<E>,
  onFound: () => void,
): Spill | null {
  const { dir, ...bounds } = settings.spill;
  if (dir === null) return null;
  return createSpill({
    ...bounds,
    // Chunks of another fleet or queue must not be replayed into this one.
    dir: join(dir, `${namespace}.${queue}`),
    session: `${identity.producer}-${identity.epoch}.${identity.life}`,
    now: Date.now,
    onFound,
    onLost: ledger.lost,
    onTakenOver: ledger.takenOver,
    onTrouble: ledger.diskFailed,
  });
}
