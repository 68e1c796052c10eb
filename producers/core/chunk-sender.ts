import type { Backoff } from '../../shared/platform/backoff.ts';
import { endsWithin, pause } from '../../shared/platform/deadline.ts';
import { createReplay } from '../spill/replay.ts';
import type { Spill } from '../spill/spill.ts';
import { createAdmission } from './admission.ts';
import type { Chunker } from './chunker.ts';
import type { RequestIdOf } from './compress-chunks.ts';
import type { DeliveryLedger } from './delivery-ledger.ts';
import { createInFlight } from './in-flight.ts';
import type { OutgoingChunk } from './outgoing-chunk.ts';
import type { Entry, RecordBuffer } from './record-buffer.ts';
import { createSendLane, type SendLane } from './send-lane.ts';
import type { Transport } from './transport.ts';

/** Settings of a sender, and its hooks. */
export interface SenderOptions<E extends Entry = Entry> {
  buffer: RecordBuffer<E>;
  /** at least one; each has a lane of its own, which waits for no other */
  chunkers: readonly Chunker<E>[];
  /** the index of the chunker that a chunk is of, by its data; null: there is only one */
  chunkerOf: ((data: string) => number) | null;
  /** null: the shard of a chunk depends on nothing in its records */
  requestIdOf: RequestIdOf | null;
  transport: Transport;
  /** the longest that a record waits for its chunk to fill, in ms */
  maxWaitMs: number;
  random: () => number;
  /** told what becomes of chunks, after they have left the buffer */
  hooks: Pick<
    DeliveryLedger<E>,
    'sent' | 'refused' | 'failed' | 'heldBack' | 'spilled' | 'notSpilled' | 'replayed' | 'givenUp'
  >;
  /** where chunks go while Redis is away; null: they wait in the buffer */
  spill: Spill | null;
}

/** Concurrent sends of up to five chunks each. Two keep Redis busy, while most of the buffer can still be evicted. */
const maxSends = 2;
/** On stop, how long to wait for the outcome of sends that are cut off. */
const lastAnswerMs = 50;
/** On stop, how long the remaining chunks may take to be written to disk before they are given up. */
const lastSpillMs = 2_000;
const retryBackoff: Backoff = { baseMs: 50, maxMs: 2_000 };

/**
 * Moves records from the buffer to the queue, in the background (see `createSendLane`). The chunks keep their room in the
 * buffer until they are in Redis, so an outage fills the buffer and nothing else. Where each shard has a lane, it has one send
 * at a time, so that its chunks keep their order.
 *
 * With a spill, chunks are written to disk while Redis is away (see `createRedisAvailability`) and leave the buffer. Chunks
 * that cannot be written are handled as if there were no spill. Chunks on disk are replayed beside the live ones.
 */
export function createChunkSender<E extends Entry>(options: SenderOptions<E>) {
  const { buffer, chunkers, chunkerOf, requestIdOf, transport, maxWaitMs, random, hooks, spill } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  const inFlight = createInFlight(buffer, hooks);
  const admission = createAdmission({ transport, onChange: hooks.heldBack, onFailure: hooks.failed, signal });

  /** Whether the chunks are on disk now. */
  const putOnDisk = async (store: Spill, chunks: readonly OutgoingChunk<E>[]): Promise<boolean> => {
    const result = await store.append(chunks);
    if (result.status !== 'written') {
      hooks.notSpilled(result);
      return false;
    }
    inFlight.spilled(chunks);
    replay?.wake();
    return true;
  };

  const lanes = chunkers.map((chunker) =>
    createSendLane<E>({
      chunker,
      requestIdOf,
      inFlight,
      transport,
      admission,
      maxSends: chunkerOf === null ? maxSends : 1,
      maxWaitMs,
      retryBackoff,
      random,
      hooks,
      putOnDisk: spill && ((chunks) => putOnDisk(spill, chunks)),
      signal,
    }),
  );
  const laneOf = ({ data }: { data: string }): SendLane<E> => lanes[chunkerOf?.(data) ?? 0] as SendLane<E>;
  const replay =
    spill &&
    createReplay({
      spill,
      transport,
      admission,
      laneOf,
      retryBackoff,
      random,
      onReplayed: hooks.replayed,
      onFailure: hooks.failed,
    });

  /** Writes everything left in memory to disk after the last send, as far as it fits. */
  const putRestOnDisk = async (store: Spill): Promise<void> => {
    // Wait for the appends of sends that were under way, so that nothing is written twice.
    await store.settled();
    let goesOn = true;
    for (const chunk of inFlight.list()) goesOn &&= await putOnDisk(store, [chunk]);
    for (const lane of lanes) {
      while (goesOn) {
        const rest = lane.takeRest();
        if (rest.length === 0) break;
        goesOn = await putOnDisk(store, rest);
      }
    }
    await store.close();
  };

  const giveUp = (): number => inFlight.giveUp(chunkers.flatMap((chunker) => chunker.takeAll()));

  return {
    /** Call this when there is something on disk that this sender did not write. */
    replay(): void {
      replay?.wake();
    },

    /** Call this after every offer to the buffer. Cheap. */
    notify(): void {
      for (const lane of lanes) lane.notify();
    },

    /** Sends what waits without waiting for full chunks. Resolves when everything, also on disk, is in Redis, or on abort. */
    async flush(deadline: AbortSignal): Promise<void> {
      const given = new Promise<void>((resolve) => deadline.addEventListener('abort', () => resolve(), { once: true }));
      while ((buffer.held.records > 0 || replay?.running) && !deadline.aborted && !signal.aborted) {
        for (const lane of lanes) lane.flush();
        const running = lanes.flatMap((lane) => lane.running);
        await Promise.race([...running, replay?.running, given].filter((one) => one));
      }
    },

    /** Gives up what is in no chunk yet, where there is no disk for it. @returns how many records that are */
    giveUpWaiting: (): number => (spill === null ? giveUp() : 0),

    /**
     * Stops: sends under way are cut off and not repeated. When nothing runs any more, gives up the records that are not known to
     * be in Redis or on disk, and resolves with their number. A send whose reply was lost may have arrived nevertheless.
     */
    async stop(): Promise<number> {
      stopping.abort();
      for (const lane of lanes) lane.stop();
      await transport.close();
      // Closing a connection to a frozen server takes seconds, and its result does not matter here.
      const answered = new AbortController();
      const running = lanes.flatMap((lane) => lane.running);
      await Promise.race([Promise.all([...running, replay?.stop()]), pause(lastAnswerMs, answered.signal)]);
      answered.abort();
      if (spill !== null) await endsWithin(putRestOnDisk(spill), lastSpillMs);
      return giveUp() + inFlight.giveUpAll();
    },
  };
}
