import type { LazyRecord } from '../../producers/core/lazy-record.ts';
import { createPipeline, type DrainResult } from '../../producers/core/pipeline.ts';
import type { PipelineParts } from '../../producers/core/pipeline-parts.ts';
import type { SenderStats } from '../../producers/requests/completed-request.ts';
import { within } from '../../shared/platform/deadline.ts';
import { Refusal } from '../http/refusal.ts';
import type { BodyTally } from '../intake/body-tally.ts';
import { createAvailability } from './availability.ts';

/** Told of what becomes of records after they have been put into the buffer. */
export type DeliveryListenerParts = Partial<
  Record<'onSent' | 'onRefused' | 'onDropped', (records: number) => void> & { onSendFailed(): void }
>;

/** While Redis takes records, there is room after a few ms. */
const roomWithinMs = 2_000;
const watchEveryMs = 250;

/**
 * Puts records into the queue and tells their bodies when they are in Redis. The records of all bodies share one buffer and
 * its chunks. Nothing that is in the buffer is ever dropped to make room.
 */
export function createDelivery(parts: PipelineParts, listener: DeliveryListenerParts) {
  const availability = createAvailability(() => performance.now());
  /** of bodies that wait for room */
  const wakers = new Set<() => void>();
  const awaited = new Set<BodyTally>();
  let accepted = 0;
  let dropped = 0;
  let watch: NodeJS.Timeout | null = null;

  const wakeAll = (): void => {
    for (const wake of wakers) wake();
    wakers.clear();
  };
  const pipeline = createPipeline({
    ...parts,
    waiters: {
      get size() {
        return wakers.size;
      },
      admitWaiting: wakeAll,
      close: wakeAll,
    },
    listener: {
      onSent(records) {
        availability.progressed();
        listener.onSent?.(records);
      },
      onRefused(records) {
        availability.progressed();
        listener.onRefused?.(records);
      },
      onDropped(records) {
        dropped += records;
        listener.onDropped?.(records);
      },
      onSendFailed() {
        availability.failed();
        listener.onSendFailed?.();
      },
    },
  });
  const { buffer } = pipeline;
  const isAway = (): boolean => availability.isAway(buffer.held.records);

  const giveUpWhenAway = (): void => {
    if (!isAway()) return;
    for (const tally of awaited) tally.giveUp(new Refusal('redis-away', redisAway, awayDetails));
    wakeAll();
  };

  return {
    maxRecordBytes: parts.buffer.maxBytes,
    /** records and bytes on their way */
    depth: () => buffer.held,
    isAway,
    /** the counts of a sender of the SDK, to which everything is accepted */
    stats(): SenderStats {
      const { refused: rejected, ...counts } = pipeline.counts;
      return {
        ...{ accepted, refused: 0, aborted: 0, closed: 0, declined: 0, waiting: wakers.size },
        ...counts,
        rejected,
        dropped,
      };
    },

    /** Throws where no new body should be begun. @throws Refusal */
    refuseWhenFull(): void {
      if (isAway()) throw new Refusal('redis-away', redisAway, awayDetails);
      const { records, bytes } = buffer.held;
      if (records >= parts.buffer.maxRecords || bytes >= parts.buffer.maxBytes) throw new Refusal('buffer-full', full);
    },

    /** Puts a record into the buffer. False: there is no room. */
    offer(record: LazyRecord, bytes: number, tally: BodyTally, index: number): boolean {
      if (!buffer.hasRoomFor(bytes)) return false;
      if (buffer.held.records === 0) availability.progressed();
      buffer.offer({ record, bytes, ack: tally.offered(index) });
      accepted += 1;
      pipeline.notify();
      return true;
    },

    /** Resolves when there may be room. @throws Refusal when there is none for too long */
    async room(): Promise<void> {
      if (isAway()) throw new Refusal('redis-away', redisAway, awayDetails);
      let wake = (): void => undefined;
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      wakers.add(wake);
      await within(woken, roomWithinMs, () => {
        wakers.delete(wake);
        throw new Refusal('buffer-full', full);
      });
    },

    /** Resolves when the records of a body are in Redis. @throws Refusal when Redis is away, or the gateway closes */
    async untilStored(tally: BodyTally): Promise<void> {
      awaited.add(tally);
      watch ??= setInterval(giveUpWhenAway, watchEveryMs);
      try {
        await tally.settled();
      } finally {
        awaited.delete(tally);
        if (awaited.size === 0 && watch !== null) {
          clearInterval(watch);
          watch = null;
        }
      }
    },

    /** Sends what is there and stops, in `timeoutMs` at most and a moment. */
    close(timeoutMs: number): Promise<DrainResult> {
      return pipeline.close({ timeoutMs });
    },
  };
}

export type Delivery = ReturnType<typeof createDelivery>;

const full = 'The buffer of the gateway is full; send the same body again later';
const redisAway = 'Redis does not take records at the moment; send the same body again later';
const awayDetails = { retryAfterSeconds: 2 };
