import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { type Backoff, backoffMs } from '../../shared/platform/backoff.ts';
import { toError } from '../../shared/platform/errors.ts';
import { endsWithin } from '../../shared/platform/lifecycle.ts';
import type { SpillBatch } from '../spill/batch-reader.ts';
import { createReplay } from '../spill/replay.ts';
import type { AppendResult, Spill } from '../spill/spill.ts';
import type { Chunker, OutgoingChunk } from './chunker.ts';
import type { Entry, RecordBuffer } from './record-buffer.ts';
import { isCutOff, isDoubtful, type RecordRefusedError } from './refusal.ts';
import { createSendApart, type RefusedOnDisk, type RefusedRecord } from './send-apart.ts';
import type { Transport } from './transport.ts';

/** How the sender paces itself. */
export interface SenderOptions<E extends Entry = Entry> {
  buffer: RecordBuffer<E>;
  chunker: Chunker<E>;
  transport: Transport;
  /** the longest that a record waits for its chunk to fill, in ms */
  maxWaitMs: number;
  random: () => number;
  /** chunks that Redis has acknowledged; they have left the buffer */
  onSent(chunks: readonly OutgoingChunk<E>[]): void;
  /** a record that Redis refuses for good; it has left the buffer */
  onRefused(entry: E, error: RecordRefusedError): void;
  onFailure(error: Error): void;
  /** where chunks go while Redis is away. @default null: they wait in the buffer */
  spill?: SpillSide<E> | null;
}

/** The disk, and who is told what becomes of records there. */
export interface SpillSide<E extends Entry = Entry> {
  store: Spill;
  /** chunks that were written to disk and left the buffer */
  onSpilled(chunks: readonly OutgoingChunk<E>[]): void;
  /** a batch that has left the disk: all of it is in Redis, but for those that it refuses for good */
  onReplayed(batch: SpillBatch, refused: readonly RefusedOnDisk[]): void;
  /** chunks that were not written, and wait in the buffer */
  onRefused(refusal: Exclude<AppendResult, { status: 'written' }>): void;
}

/** Sends under way at once, and chunks in each: two of five keep Redis busy while most of the buffer stays evictable. */
const maxSends = 2;
const maxChunksPerSend = 5;
/** Time for sends to notice that they are cut off. */
const lastAnswerMs = 50;
/** Failures of one send after which Redis counts as away: the first may be a connection that was only just cut. */
const failuresBeforeSpill = 2;
/** A send without an answer for so long means the same for the chunks behind it. */
const noAnswerMs = 500;
/** Chunks that are sent apart from all others at a time; those that are doubtful beyond are repeated as if Redis were away. */
const maxApart = 20;
/** What is left at the end is written to disk in so many ms, or given up. */
const lastSpillMs = 2_000;
const retryBackoff: Backoff = { baseMs: 50, maxMs: 2_000 };

/**
 * Moves records from the buffer to the queue, in the background.
 *
 * Idle: nothing waits. Filling: something waits, a timer runs. Sending: up to two sends are under way; each repeats the
 * same chunks with backoff until they are in Redis or the sender is stopped. Its chunks keep their room in the buffer
 * all the time, so an outage fills the buffer and nothing else.
 *
 * With a spill: Redis counts as away once a send has failed twice, or has had no answer for half a second, and until
 * anything is acknowledged. While it is away, chunks are written to disk and leave the buffer; what the disk refuses is
 * treated as without a spill. Chunks that are on disk are replayed beside the live ones.
 *
 * A send that is refused for what is in it, as far as the answer tells, or again and again without an answer that tells, is
 * given up: its chunks go into a lane of their own, one by one, where records are told apart that Redis refuses for good.
 * The sends behind it go on.
 */
export function createChunkSender<E extends Entry>(options: SenderOptions<E>) {
  const { buffer, chunker, transport, random, spill = null } = options;
  const stopping = new AbortController();
  const sends = new Set<Promise<void>>();
  const underWay = new Set<readonly OutgoingChunk<E>[]>();
  const givenUp: E[] = [];
  let timer: NodeJS.Timeout | null = null;
  let pumpIsScheduled = false;
  let flushing = false;
  let redisIsAway = false;
  /** sends that were acknowledged so far */
  let acknowledged = 0;
  const lane: { chunk: OutgoingChunk<E>; acknowledgedBefore: number }[] = [];
  let laneRun: Promise<void> | null = null;

  const redisAnswered = (): void => {
    redisIsAway = false;
    acknowledged += 1;
  };

  const sendApart = createSendApart({
    transport,
    retryBackoff,
    random,
    signal: stopping.signal,
    acknowledged: () => acknowledged,
    onAcknowledged: redisAnswered,
    onFailure: options.onFailure,
  });

  const replay =
    spill === null
      ? null
      : createReplay({
          spill: spill.store,
          transport,
          sendApart,
          retryBackoff,
          random,
          acknowledged: () => acknowledged,
          onAcknowledged: redisAnswered,
          onReplayed: spill.onReplayed,
          onFailure: options.onFailure,
        });

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

  const takeChunks = (): OutgoingChunk<E>[] => {
    const chunks: OutgoingChunk<E>[] = [];
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

  const send = async (chunks: readonly OutgoingChunk<E>[]): Promise<void> => {
    underWay.add(chunks);
    if (transport.loaded !== undefined) await transport.loaded;
    for (let failures = 0, unanswered = 0; !stopping.signal.aborted; ) {
      if (redisIsAway && (await putOnDisk(chunks))) return;
      try {
        const sending = transport.send(chunks);
        if (spill !== null && !(await isAnsweredSoon(sending)) && !stopping.signal.aborted) {
          redisIsAway = true;
          if (await putOnDisk(chunks)) {
            // Its answer, should one come, still says that Redis is back. A chunk that is sent twice is one job.
            sending.then(redisAnswered, (thrown: unknown) => options.onFailure(toError(thrown)));
            return;
          }
        }
        await sending;
        redisAnswered();
        settle(chunks, options.onSent);
        return;
      } catch (thrown) {
        const error = toError(thrown);
        options.onFailure(error);
        unanswered = isCutOff(error) ? unanswered + 1 : 0;
        if (isDoubtful(error, unanswered) && handOver(chunks)) return;
      }
      failures += 1;
      if (failures >= failuresBeforeSpill) redisIsAway = true;
      await sleep(backoffMs(retryBackoff, failures - 1, random), undefined, { signal: stopping.signal }).catch(
        () => undefined,
      );
    }
  };

  /** Whether the chunks are in the lane now. */
  const handOver = (chunks: readonly OutgoingChunk<E>[]): boolean => {
    if (lane.length + chunks.length > maxApart || !underWay.delete(chunks)) return false;
    // The smallest first: when they get through, it is sure that a large one is refused for what it is.
    const bySize = chunks.toSorted((a, b) => a.data.length - b.data.length);
    lane.push(...bySize.map((chunk) => ({ chunk, acknowledgedBefore: acknowledged })));
    for (const chunk of chunks) underWay.add([chunk]);
    wakeLane();
    return true;
  };

  const wakeLane = (): void => {
    if (laneRun !== null || lane.length === 0 || stopping.signal.aborted) return;
    laneRun = runLane().finally(() => {
      laneRun = null;
      // Something may have come between its last look and its end.
      wakeLane();
    });
  };

  const runLane = async (): Promise<void> => {
    for (let next = lane[0]; next !== undefined; next = lane[0]) {
      const { chunk, acknowledgedBefore } = next;
      const refused = await sendApart(chunk, chunk.entries.length, acknowledgedBefore);
      if (refused === null) return;
      settleApart(chunk, refused);
      lane.shift();
    }
  };

  const settleApart = (chunk: OutgoingChunk<E>, refused: readonly RefusedRecord[]): void => {
    const held = [...underWay].find(([first]) => first === chunk);
    if (held === undefined || !underWay.delete(held)) return;
    buffer.release(chunk.entries);
    const errors = new Map(refused.map(({ index, error }) => [index, error]));
    const sent = chunk.entries.filter((_entry, index) => !errors.has(index));
    if (sent.length > 0) options.onSent([{ ...chunk, entries: sent }]);
    for (const [index, error] of errors) {
      const entry = chunk.entries[index];
      if (entry !== undefined) options.onRefused(entry, error);
    }
  };

  /** Whether the chunks are on disk now. */
  const putOnDisk = async (chunks: readonly OutgoingChunk<E>[]): Promise<boolean> => {
    if (spill === null) return false;
    const result = await spill.store.append(chunks);
    if (result.status === 'written') {
      settle(chunks, spill.onSpilled);
      replay?.wake();
      return true;
    }
    spill.onRefused(result);
    return false;
  };

  const settle = (chunks: readonly OutgoingChunk<E>[], tell: (chunks: readonly OutgoingChunk<E>[]) => void): void => {
    // After stop has given them up, an answer that comes late changes nothing any more.
    if (!underWay.delete(chunks)) return;
    for (const { entries } of chunks) buffer.release(entries);
    tell(chunks);
  };

  /** After the last send: writes to disk all that is left in memory, as far as the disk takes it. */
  const putRestOnDisk = async (store: Spill): Promise<void> => {
    // Appends of the sends that were under way, so that nothing is written twice.
    await store.settled();
    let goesOn = true;
    for (const chunks of [...underWay]) goesOn &&= await putOnDisk(chunks);
    flushing = true;
    while (goesOn && buffer.waiting.records > 0) {
      const chunks = takeChunks();
      underWay.add(chunks);
      goesOn = await putOnDisk(chunks);
    }
    await store.close();
  };

  const giveUp = (entries: readonly E[]): void => {
    buffer.release(entries);
    givenUp.push(...entries);
  };

  return {
    /** Says that there is something on disk that no chunk of this sender brought. */
    replay(): void {
      replay?.wake();
    },

    /** Says that the buffer has something new. Cheap; call it after every offer. */
    notify(): void {
      if (chunker.hasFullChunk) schedulePump();
      else if (timer === null) armTimer();
    },

    /**
     * Sends what waits without waiting for full chunks. Resolves when all is in Redis, what is on disk included, or when
     * `signal` aborts.
     */
    async flush(signal: AbortSignal): Promise<void> {
      const given = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      const isDone = (): boolean => buffer.held.records === 0 && !replay?.isRunning;
      while (!isDone() && !signal.aborted && !stopping.signal.aborted) {
        flushing = true;
        pump();
        await Promise.race(
          [...sends, laneRun, replay?.isRunning ? replay.settled() : null, given].filter((one) => one !== null),
        );
      }
    },

    /**
     * Gives up: sends under way are cut off and not repeated. Resolves, when nothing runs any more, with the records that
     * are not known to have arrived, in Redis or on disk. A send whose reply was lost may have arrived all the same.
     */
    async stop(): Promise<readonly E[]> {
      stopping.abort();
      if (timer !== null) clearTimeout(timer);
      timer = null;
      await transport.close();
      // Cutting a connection to a frozen server takes seconds; nothing that comes of it matters here.
      const answered = new AbortController();
      const silence = sleep(lastAnswerMs, undefined, answered).catch(() => undefined);
      await Promise.race([Promise.all([...sends, laneRun, replay?.stop()]), silence]);
      answered.abort();
      if (spill !== null) await endsWithin(putRestOnDisk(spill.store), lastSpillMs);
      for (const chunks of underWay) for (const { entries } of chunks) giveUp(entries);
      underWay.clear();
      giveUp(buffer.take({ maxRecords: Number.POSITIVE_INFINITY, maxBytes: Number.POSITIVE_INFINITY }));
      return givenUp;
    },
  };
}

/** Whether a send ends, one way or the other, before Redis counts as away. */
async function isAnsweredSoon(sending: Promise<void>): Promise<boolean> {
  let isAnswered = false;
  const answer = sending
    .catch(() => undefined)
    .then(() => {
      isAnswered = true;
    });
  await endsWithin(answer, noAnswerMs);
  // After a stall of the event loop the answer may be there, and only not read yet.
  if (!isAnswered) await nextTurn();
  return isAnswered;
}

export type ChunkSender<E extends Entry = Entry> = ReturnType<typeof createChunkSender<E>>;
