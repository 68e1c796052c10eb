import type { SendableChunk } from '../../producers/core/chunk-parts.ts';
import type { LazyRecord } from '../../producers/core/lazy-record.ts';
import { createPipeline, type DrainResult } from '../../producers/core/pipeline.ts';
import type { PipelineParts } from '../../producers/core/pipeline-parts.ts';
import { SendAbortedError, SenderClosedError } from '../../producers/core/send-errors.ts';
import type { SenderStats } from '../../producers/requests/completed-request.ts';
import { SendQueue } from '../../producers/requests/send-queue.ts';
import { withDeadline, within } from '../../shared/platform/deadline.ts';
import { Refusal } from '../http/refusal.ts';
import type { BodyTally } from '../intake/body-tally.ts';
import { createAvailability } from './availability.ts';

/** Told of what becomes of records after they have been put into the buffer. */
export type DeliveryListenerParts = Partial<
  Record<'onSent' | 'onRefused' | 'onDropped', (records: number) => void> & {
    onSendFailed(): void;
    onWaited(seconds: number): void;
  }
>;

/** A record of a body. */
interface Candidate {
  record: LazyRecord;
  /** null: none */
  realm: string | null;
  /** of its JSON */
  bytes: number;
  tally: BodyTally;
  /** its place in the body */
  index: number;
}

/** While Redis takes records, there is room after a few ms. */
const roomWithinMs = 2_000;
const watchEveryMs = 250;
const reportWithinMs = 2_000;
/** Further reports are refused while Redis has not answered for so many. */
const mostReports = 100;

/**
 * Puts records into the queue and tells their bodies when they are in Redis. The records of all bodies share one buffer and
 * its chunks. Nothing that is in the buffer is ever dropped to make room.
 */
export function createDelivery(parts: PipelineParts, listener: DeliveryListenerParts) {
  const availability = createAvailability(() => performance.now());
  const awaited = new Set<BodyTally>();
  let accepted = 0;
  let dropped = 0;
  let reportsUnderWay = 0;
  let watch: NodeJS.Timeout | null = null;

  /** Null stands for a body that has not begun. */
  const admit = (candidate: Candidate | null): boolean => {
    if (!buffer.hasRoomFor(candidate?.bytes ?? 1)) return false;
    if (candidate === null) return true;
    if (buffer.held.records === 0) availability.progressed();
    const { record, realm, bytes, tally: ofBody, index } = candidate;
    const tally = tallies.of(realm);
    tally.waiting += 1;
    buffer.offer({ record, bytes, ack: ofBody.offered(index), tally });
    accepted += 1;
    pipeline.notify();
    return true;
  };
  const queue = new SendQueue<Candidate | null>({
    admit,
    onWaited: (waitedMs) => listener.onWaited?.(waitedMs / 1_000),
  });

  const pipeline = createPipeline({
    ...parts,
    waiters: queue,
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
  const { buffer, tallies } = pipeline;
  const isAway = (): boolean => availability.isAway(buffer.held.records);

  const giveUpWhenAway = (): void => {
    if (!isAway()) return;
    for (const tally of awaited) tally.giveUp(away());
  };

  const enter = async (candidate: Candidate | null): Promise<void> => {
    try {
      await withDeadline(roomWithinMs, (signal) => queue.enter(candidate, signal));
    } catch (error) {
      if (error instanceof SendAbortedError) throw isAway() ? away() : new Refusal('buffer-full', full);
      throw error instanceof SenderClosedError ? new Refusal('shutting-down', shuttingDown) : error;
    }
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
        ...{ accepted, refused: 0, aborted: 0, closed: 0, declined: 0, waiting: queue.size },
        ...counts,
        rejected,
        dropped,
      };
    },

    /** Counts a record that the sample rate has left out. */
    countSampledOut(realm: string | null): void {
      tallies.of(realm).sampledOut += 1;
    },

    /** Lets a body begin when there is room. @throws Refusal when there is none for too long, or Redis is away */
    async untilRoom(): Promise<void> {
      if (isAway()) throw away();
      if (queue.size > 0 || !admit(null)) await enter(null);
    },

    /**
     * Puts a record into the buffer, behind those that wait for room, one of each body at a time.
     *
     * @returns null: it is there
     * @throws Refusal when there is no room for too long, or after `close`
     */
    put(candidate: Candidate): Promise<void> | null {
      if (pipeline.isClosing) throw new Refusal('shutting-down', shuttingDown);
      return queue.size === 0 && admit(candidate) ? null : enter(candidate);
    },

    /** Resolves when the records of a body are in Redis. @throws Refusal when Redis is away, or the gateway closes */
    async untilStored(tally: BodyTally): Promise<void> {
      awaited.add(tally);
      watch ??= setInterval(giveUpWhenAway, watchEveryMs);
      try {
        await tally.settled();
      } catch (error) {
        throw error instanceof SenderClosedError ? new Refusal('shutting-down', shuttingDown) : error;
      } finally {
        awaited.delete(tally);
        if (awaited.size === 0 && watch !== null) {
          clearInterval(watch);
          watch = null;
        }
      }
    },

    /** Puts a report to the ledger into the queue. @throws Refusal when Redis does not take it in time */
    async report(report: SendableChunk): Promise<void> {
      if (pipeline.isClosing) throw new Refusal('shutting-down', shuttingDown);
      if (isAway() || reportsUnderWay >= mostReports) throw away();
      reportsUnderWay += 1;
      const added = (parts.transport.report?.(report) ?? Promise.resolve()).then(
        () => true,
        // It is the same to the sender why: the next report says all of it again.
        () => false,
      );
      void added.finally(() => {
        reportsUnderWay -= 1;
      });
      if (!(await within(added, reportWithinMs, () => false))) throw away();
    },

    /** Sends what is there and stops, in `timeoutMs` at most and a moment. */
    close(timeoutMs: number): Promise<DrainResult> {
      return pipeline.close({ timeoutMs });
    },
  };
}

export type Delivery = ReturnType<typeof createDelivery>;

const shuttingDown = 'The gateway shuts down; send the same body again';
const full = 'The buffer of the gateway is full; send the same body again later';
const redisAway = 'Redis does not take records at the moment; send the same body again later';
const away = () => new Refusal('redis-away', redisAway, { retryAfterSeconds: 2 });
