import { setTimeout as sleep } from 'node:timers/promises';
import { type Backoff, backoffMs } from '../../shared/platform/backoff.ts';
import { toError } from '../../shared/platform/errors.ts';
import type { Admission, Admitted } from './admission.ts';
import { createApartLane } from './apart-lane.ts';
import type { Chunker } from './chunker.ts';
import { compressChunks, type RequestIdOf } from './compress-chunks.ts';
import type { DeliveryLedger } from './delivery-ledger.ts';
import type { InFlight } from './in-flight.ts';
import type { OutgoingChunk } from './outgoing-chunk.ts';
import type { Entry, Part } from './record-buffer.ts';
import { createRedisAvailability } from './redis-availability.ts';
import { isCutOff, isDoubtful } from './refusal.ts';
import { createSendApart } from './send-apart.ts';
import type { Transport } from './transport.ts';

/** Settings of a lane, and its callbacks. */
export interface SendLaneOptions<E extends Entry> {
  chunker: Chunker<E>;
  /** null: their shard depends on nothing in the records */
  requestIdOf: RequestIdOf | null;
  inFlight: InFlight<E>;
  transport: Transport;
  admission: Admission;
  /** concurrent sends */
  maxSends: number;
  /** the longest that a record waits for its chunk to fill, in ms */
  maxWaitMs: number;
  retryBackoff: Backoff;
  random: () => number;
  hooks: Pick<DeliveryLedger<E>, 'failed'>;
  /** Writes chunks to disk. Returns whether they are there now; null: there is no disk */
  putOnDisk: ((chunks: readonly OutgoingChunk<E>[]) => Promise<boolean>) | null;
  /** stops it */
  signal: AbortSignal;
}

const maxChunksPerSend = 5;

/**
 * Sends the chunks of one chunker, in the background.
 *
 * Idle: nothing waits. Filling: something waits, and a timer runs. Sending: up to `maxSends` sends are under way. Each repeats
 * the same chunks with backoff until they are in Redis or on disk, or the lane is stopped.
 *
 * A send that seems to be refused because of its content, or fails again and again without an answer, is given up: its
 * chunks go into a lane apart, which finds the records that Redis permanently refuses. The sends behind it go on.
 *
 * While successes are held back, only failures are taken to be sent. With a disk, successes are written there, one write at a
 * time beside the sends, and if it is full they wait in the buffer as they do without one.
 */
export function createSendLane<E extends Entry>(options: SendLaneOptions<E>) {
  const { chunker, inFlight, transport, admission, maxSends, retryBackoff, random, hooks, putOnDisk, signal } = options;
  const redis = createRedisAvailability();
  const sends = new Set<Promise<void>>();
  let timer: NodeJS.Timeout | null = null;
  let pumpIsScheduled = false;
  let flushing = false;
  /** what is taken to be sent, by the last look */
  let admitted: Admitted = 'all';
  let lookingAgain: Promise<void> | null = null;
  let writingAside: Promise<void> | null = null;

  const { acknowledged, onAcknowledged } = redis;
  const sendApart = createSendApart({
    transport,
    retryBackoff,
    random,
    acknowledged,
    onAcknowledged,
    onFailure: hooks.failed,
    signal,
  });
  const apart = createApartLane<E>({ sendApart, acknowledged, signal, onSettled: inFlight.sentApart });

  const schedulePump = (): void => {
    if (pumpIsScheduled) return;
    pumpIsScheduled = true;
    // Never on the caller's stack: record() pays for the buffer and not for the chunks.
    setImmediate(() => {
      pumpIsScheduled = false;
      pump();
    });
  };

  const look = (): void => {
    admitted = admission.look();
    if (admitted === 'all' || signal.aborted) return;
    lookingAgain ??= admission.pause(signal).then(() => {
      lookingAgain = null;
      pump();
    });
  };

  /** what has to go somewhere now; the rest waits until it is looked again */
  const due = (): Part => (admitted === 'failures' && putOnDisk === null ? 'failures' : 'all');

  const pump = (): void => {
    look();
    while (sends.size < maxSends && !signal.aborted) {
      const chunks = takeChunks(admitted === 'all' ? 'all' : 'failures');
      if (chunks.length === 0) break;
      const one = send(chunks).finally(() => {
        sends.delete(one);
        pump();
      });
      sends.add(one);
    }
    if (admitted === 'failures') putSuccessesAside();
    if (!chunker.hasWaiting(due())) flushing = false;
    else if (!signal.aborted) armTimer();
  };

  const takeChunks = (part: Part): OutgoingChunk<E>[] => {
    const chunks: OutgoingChunk<E>[] = [];
    while (chunks.length < maxChunksPerSend && (flushing || chunker.hasFullChunk(part))) {
      const chunk = chunker.next(part);
      if (chunk === null) break;
      chunks.push(chunk);
      inFlight.add(chunk);
    }
    return chunks;
  };

  const armTimer = (): void => {
    timer ??= setTimeout(() => {
      timer = null;
      flushing = true;
      pump();
    }, options.maxWaitMs);
  };

  const putSuccessesAside = (): void => {
    if (putOnDisk === null || writingAside !== null || signal.aborted) return;
    const chunks = takeChunks('successes');
    if (chunks.length === 0) return;
    writingAside = writeAside(chunks, putOnDisk).finally(() => {
      writingAside = null;
      pump();
    });
  };

  const writeAside = async (
    chunks: readonly OutgoingChunk<E>[],
    write: NonNullable<typeof putOnDisk>,
  ): Promise<void> => {
    while (!signal.aborted && admission.look() !== 'all') {
      if (await write(chunks)) return;
      await admission.pause(signal);
    }
    await send(chunks);
  };

  const send = async (chunks: readonly OutgoingChunk<E>[]): Promise<void> => {
    if (transport.loaded !== undefined) await transport.loaded;
    const compressed = compressChunks(chunks, options.requestIdOf);
    if (compressed !== null) await compressed;
    for (let failures = 0, unanswered = 0; !signal.aborted; ) {
      // While the replay pauses, a send has to find out that Redis is back.
      const isWorthATry = admitted === 'failures' && failures === 0;
      if (redis.isAway && !isWorthATry && (await putOnDisk?.(chunks))) return;
      try {
        const answer = transport.send(chunks, hooks.failed);
        const isLate = putOnDisk !== null && !(await redis.answersSoon(answer, transport.mayMoveOn)) && !signal.aborted;
        if (isLate && (await putOnDisk?.(chunks))) {
          // If its answer comes after all, Redis is back. A chunk that is sent twice is one job.
          answer.then(onAcknowledged, (thrown: unknown) => hooks.failed(toError(thrown)));
          return;
        }
        await answer;
        onAcknowledged();
        inFlight.sent(chunks);
        return;
      } catch (thrown) {
        const error = toError(thrown);
        hooks.failed(error);
        unanswered = isCutOff(error) ? unanswered + 1 : 0;
        if (isDoubtful(error, unanswered) && apart.offer(chunks)) return;
      }
      failures += 1;
      redis.onFailure(failures);
      await sleep(backoffMs(retryBackoff, failures - 1, random), undefined, { signal }).catch(() => undefined);
    }
  };

  return {
    sendApart,
    acknowledged,
    onAcknowledged,

    /** Call this after every offer to the buffer. Cheap. */
    notify(): void {
      const part = due();
      if (chunker.hasFullChunk(part)) schedulePump();
      else if (timer === null && chunker.hasWaiting(part)) armTimer();
    },

    /** Sends what waits without waiting for full chunks. */
    flush(): void {
      flushing = true;
      pump();
    },

    /** Takes chunks, full or not, that are not sent any more: the lane is stopped. */
    takeRest(): OutgoingChunk<E>[] {
      flushing = true;
      return takeChunks('all');
    },

    /** the work that is under way */
    get running(): Promise<void>[] {
      return [...sends, ...[apart.running, lookingAgain, writingAside].filter((one) => one !== null)];
    },

    /** Lets no timer run any more. The signal has aborted. */
    stop(): void {
      if (timer !== null) clearTimeout(timer);
      timer = null;
    },
  };
}

export type SendLane<E extends Entry = Entry> = ReturnType<typeof createSendLane<E>>;
