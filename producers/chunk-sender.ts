import { setTimeout as sleep } from 'node:timers/promises';
import { type Backoff, backoffMs } from '../shared/backoff.ts';
import { toError } from '../shared/errors.ts';
import type { Chunker, OutgoingChunk } from './chunker.ts';
import type { Entry, RecordBuffer } from './record-buffer.ts';
import type { Transport } from './transport.ts';

/** How the sender paces itself. */
export interface SenderOptions {
  buffer: RecordBuffer;
  chunker: Chunker;
  transport: Transport;
  /** the longest that a record waits for its chunk to fill, in ms */
  maxWaitMs: number;
  random: () => number;
  onSent(records: number): void;
  onFailure(error: Error): void;
}

/** Sends under way at once, and chunks in each: two of five keep Redis busy while most of the buffer stays evictable. */
const maxSends = 2;
const maxChunksPerSend = 5;
/** Time for sends to notice that they are cut off. */
const lastAnswerMs = 50;
const retryBackoff: Backoff = { baseMs: 50, maxMs: 2_000 };

/**
 * Moves records from the buffer to the queue, in the background.
 *
 * Idle: nothing waits. Filling: something waits, a timer runs. Sending: up to two sends are under way; each repeats the
 * same chunks with backoff until they are in Redis or the sender is stopped. Its chunks keep their room in the buffer
 * all the time, so an outage fills the buffer and nothing else.
 */
export function createChunkSender(options: SenderOptions) {
  const { buffer, chunker, transport, random } = options;
  const stopping = new AbortController();
  const sends = new Set<Promise<void>>();
  const underWay = new Set<readonly OutgoingChunk[]>();
  const givenUp: Entry[] = [];
  let timer: NodeJS.Timeout | null = null;
  let pumpIsScheduled = false;
  let flushing = false;

  const schedulePump = (): void => {
    if (pumpIsScheduled) return;
    pumpIsScheduled = true;
    // Never on the caller's stack: record() pays for the buffer, not for the chunks.
    setImmediate(() => {
      pumpIsScheduled = false;
      pump();
    });
  };

  const pump = (): void => {
    while (sends.size < maxSends && !stopping.signal.aborted) {
      const chunks = takeChunks();
      if (chunks.length === 0) break;
      const sending = send(chunks).finally(() => {
        sends.delete(sending);
        pump();
      });
      sends.add(sending);
    }
    if (buffer.waiting.records === 0) flushing = false;
    else if (!stopping.signal.aborted) armTimer();
  };

  const takeChunks = (): OutgoingChunk[] => {
    const chunks: OutgoingChunk[] = [];
    while (chunks.length < maxChunksPerSend && (flushing || chunker.hasFullChunk)) {
      const chunk = chunker.next();
      if (chunk === null) break;
      chunks.push(chunk);
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

  const send = async (chunks: readonly OutgoingChunk[]): Promise<void> => {
    underWay.add(chunks);
    for (let attempt = 0; ; attempt += 1) {
      try {
        await transport.send(chunks);
        settle(chunks);
        return;
      } catch (thrown) {
        options.onFailure(toError(thrown));
      }
      const stopped = await sleep(backoffMs(retryBackoff, attempt, random), false, { signal: stopping.signal }).catch(
        () => true,
      );
      if (stopped) return;
    }
  };

  const settle = (chunks: readonly OutgoingChunk[]): void => {
    // After stop has given them up, an answer that comes late changes nothing any more.
    if (!underWay.delete(chunks)) return;
    let records = 0;
    for (const { entries } of chunks) {
      buffer.release(entries);
      records += entries.length;
    }
    options.onSent(records);
  };

  const giveUp = (entries: readonly Entry[]): void => {
    buffer.release(entries);
    givenUp.push(...entries);
  };

  return {
    /** Says that the buffer has something new. Cheap; call it after every offer. */
    notify(): void {
      if (chunker.hasFullChunk) schedulePump();
      else if (timer === null) armTimer();
    },

    /** Sends what waits without waiting for full chunks. Resolves when all is in Redis, or when `signal` aborts. */
    async flush(signal: AbortSignal): Promise<void> {
      const given = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      while (buffer.held.records > 0 && !signal.aborted && !stopping.signal.aborted) {
        flushing = true;
        pump();
        await Promise.race([...sends, given]);
      }
    },

    /**
     * Gives up: sends under way are cut off and not repeated. Resolves, when nothing runs any more, with the records that
     * are not known to have arrived. A send whose reply was lost may have arrived all the same.
     */
    async stop(): Promise<readonly Entry[]> {
      stopping.abort();
      if (timer !== null) clearTimeout(timer);
      timer = null;
      await transport.close();
      // Cutting a connection to a frozen server takes seconds; nothing that comes of it matters here.
      await Promise.race([Promise.all(sends), sleep(lastAnswerMs)]);
      for (const chunks of underWay) for (const { entries } of chunks) giveUp(entries);
      underWay.clear();
      giveUp(buffer.take({ maxRecords: Number.POSITIVE_INFINITY, maxBytes: Number.POSITIVE_INFINITY }));
      return givenUp;
    },
  };
}

export type ChunkSender = ReturnType<typeof createChunkSender>;
