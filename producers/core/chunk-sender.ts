import { setTimeout as sleep } from 'node:timers/promises';
import { type Backoff, backoffMs } from '../../shared/platform/backoff.ts';
import { endsWithin, pause } from '../../shared/platform/deadline.ts';
import { toError } from '../../shared/platform/errors.ts';
import { createReplay } from '../spill/replay.ts';
import type { Spill } from '../spill/spill.ts';
import { createApartLane } from './apart-lane.ts';
import type { Chunker, OutgoingChunk } from './chunker.ts';
import type { DeliveryLedger } from './delivery-ledger.ts';
import { createInFlight } from './in-flight.ts';
import type { Entry, RecordBuffer } from './record-buffer.ts';
import { createRedisAvailability } from './redis-availability.ts';
import { isCutOff, isDoubtful } from './refusal.ts';
import { createSendApart } from './send-apart.ts';
import type { Transport } from './transport.ts';

/** Settings of a sender, and its hooks. */
export interface SenderOptions<E extends Entry = Entry> {
  buffer: RecordBuffer<E>;
  chunker: Chunker<E>;
  transport: Transport;
  /** the longest that a record waits for its chunk to fill, in ms */
  maxWaitMs: number;
  random: () => number;
  /** told what becomes of chunks, after they have left the buffer */
  hooks: Pick<DeliveryLedger<E>, 'sent' | 'refused' | 'failed' | 'spilled' | 'notSpilled' | 'replayed'>;
  /** where chunks go while Redis is away; null: they wait in the buffer */
  spill: Spill | null;
}

/** Concurrent sends, and chunks in each. Two times five keep Redis busy, while most of the buffer can still be evicted. */
const maxSends = 2;
const maxChunksPerSend = 5;
/** How long to wait for sends that are cut off. */
const lastAnswerMs = 50;
/** How long the rest may take to be written to disk at the end; then it is given up. */
const lastSpillMs = 2_000;
const retryBackoff: Backoff = { baseMs: 50, maxMs: 2_000 };

/**
 * Moves records from the buffer to the queue, in the background.
 *
 * Idle: nothing waits. Filling: something waits, and a timer runs. Sending: up to two sends are under way. Each repeats the
 * same chunks with backoff until they are in Redis or the sender is stopped. The chunks keep their room in the buffer
 * meanwhile, so an outage fills the buffer and nothing else.
 *
 * With a spill, chunks are written to disk while Redis is away (see `createRedisAvailability`) and leave the buffer. What the
 * disk refuses is treated as without a spill. Chunks on disk are replayed beside the live ones.
 *
 * A send that seems to be refused because of its content, or fails again and again without an answer, is given up: its
 * chunks go into a lane of their own, which finds the records that Redis permanently refuses. The sends behind it go on.
 */
export function createChunkSender<E extends Entry>(options: SenderOptions<E>) {
  const { buffer, chunker, transport, random, hooks, spill } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  const redis = createRedisAvailability();
  const sends = new Set<Promise<void>>();
  const inFlight = createInFlight(buffer, hooks);
  let timer: NodeJS.Timeout | null = null;
  let pumpIsScheduled = false;
  let flushing = false;

  const { acknowledged, onAcknowledged } = redis;
  const sending = { transport, retryBackoff, random, acknowledged, onAcknowledged, onFailure: hooks.failed };
  const sendApart = createSendApart({ ...sending, signal });
  const replay = spill && createReplay({ ...sending, spill, sendApart, onReplayed: hooks.replayed });

  const lane = createApartLane<E>({ sendApart, acknowledged, signal, onSettled: inFlight.sentApart });

  const schedulePump = (): void => {
    if (pumpIsScheduled) return;
    pumpIsScheduled = true;
    // Never on the caller's stack: record() pays for the buffer and not for the chunks.
    setImmediate(() => {
      pumpIsScheduled = false;
      pump();
    });
  };

  const pump = (): void => {
    while (sends.size < maxSends && !signal.aborted) {
      const chunks = takeChunks();
      if (chunks.length === 0) break;
      const one = send(chunks).finally(() => {
        sends.delete(one);
        pump();
      });
      sends.add(one);
    }
    if (buffer.waiting.records === 0) flushing = false;
    else if (!signal.aborted) armTimer();
  };

  const takeChunks = (): OutgoingChunk<E>[] => {
    const chunks: OutgoingChunk<E>[] = [];
    while (chunks.length < maxChunksPerSend && (flushing || chunker.hasFullChunk)) {
      const chunk = chunker.next();
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

  const send = async (chunks: readonly OutgoingChunk<E>[]): Promise<void> => {
    if (transport.loaded !== undefined) await transport.loaded;
    for (let failures = 0, unanswered = 0; !signal.aborted; ) {
      if (redis.isAway && (await putOnDisk(chunks))) return;
      try {
        const answer = transport.send(chunks, hooks.failed);
        const isLate = spill !== null && !(await redis.answersSoon(answer, transport.mayMoveOn)) && !signal.aborted;
        if (isLate && (await putOnDisk(chunks))) {
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
        if (isDoubtful(error, unanswered) && lane.offer(chunks)) return;
      }
      failures += 1;
      redis.onFailure(failures);
      await sleep(backoffMs(retryBackoff, failures - 1, random), undefined, { signal }).catch(() => undefined);
    }
  };

  /** Whether the chunks are on disk now. */
  const putOnDisk = async (chunks: readonly OutgoingChunk<E>[]): Promise<boolean> => {
    const result = await spill?.append(chunks);
    if (result === undefined) return false;
    if (result.status !== 'written') {
      hooks.notSpilled(result);
      return false;
    }
    inFlight.spilled(chunks);
    replay?.wake();
    return true;
  };

  /** Writes everything left in memory to disk after the last send, as far as it fits. */
  const putRestOnDisk = async (store: Spill): Promise<void> => {
    // Wait for the appends of sends that were under way, so that nothing is written twice.
    await store.settled();
    let goesOn = true;
    for (const chunk of inFlight.list()) goesOn &&= await putOnDisk([chunk]);
    flushing = true;
    while (goesOn && buffer.waiting.records > 0) goesOn = await putOnDisk(takeChunks());
    await store.close();
  };

  return {
    /** Call this when there is something on disk that this sender did not write. */
    replay(): void {
      replay?.wake();
    },

    /** Call this after every offer to the buffer. Cheap. */
    notify(): void {
      if (chunker.hasFullChunk) schedulePump();
      else if (timer === null) armTimer();
    },

    /** Sends what waits without waiting for full chunks. Resolves when everything, also on disk, is in Redis, or on abort. */
    async flush(deadline: AbortSignal): Promise<void> {
      const given = new Promise<void>((resolve) => deadline.addEventListener('abort', () => resolve(), { once: true }));
      while ((buffer.held.records > 0 || replay?.running) && !deadline.aborted && !signal.aborted) {
        flushing = true;
        pump();
        await Promise.race([...sends, lane.running, replay?.running, given].filter((one) => one));
      }
    },

    /**
     * Stops: sends under way are cut off and not repeated. When nothing runs any more, resolves with the records that are not
     * known to be in Redis or on disk. A send whose reply was lost may have arrived nevertheless.
     */
    async stop(): Promise<readonly E[]> {
      stopping.abort();
      if (timer !== null) clearTimeout(timer);
      timer = null;
      await transport.close();
      // Closing a connection to a frozen server takes seconds, and its result does not matter here.
      const answered = new AbortController();
      await Promise.race([Promise.all([...sends, lane.running, replay?.stop()]), pause(lastAnswerMs, answered.signal)]);
      answered.abort();
      if (spill !== null) await endsWithin(putRestOnDisk(spill), lastSpillMs);
      return inFlight.giveUpAll();
    },
  };
}
