import type { OutgoingChunk } from '../core/chunker.ts';
import type { Entry } from '../core/record-buffer.ts';
import { RecordLostError, SenderClosedError } from '../core/send-errors.ts';

/** The wait of one durable send for its record to be in Redis. */
export class Arrival {
  readonly promise: Promise<void>;
  #resolve: () => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Nobody listens any more when the wait was aborted.
    this.promise.catch(() => undefined);
  }

  succeed(): void {
    this.#resolve();
  }

  fail(error: Error): void {
    this.#reject(error);
  }
}

/** An entry that may have somebody waiting for it. */
export interface AwaitedEntry extends Entry {
  readonly arrival: Arrival | null;
}

const closedInMemory = 'the sender was closed before Redis acknowledged the record; it may have arrived nevertheless';
const closedOnDisk =
  'the sender was closed before the record reached Redis; it is on disk, and the next process with this spill directory sends it';

const noLongerOnDisk = 'the record on disk is damaged, gone, or taken over by another process, which sends it';

/**
 * Tells durable sends when their records are in Redis, also those that go there by way of the disk: a chunk keeps its id
 * on every way, and nothing of the record itself is kept here.
 */
export function createArrivals() {
  /** by chunk, in the order of its records */
  const onDisk = new Map<string, readonly (Arrival | null)[]>();

  const failOnDisk = (error: Error): void => {
    for (const arrivals of onDisk.values()) for (const arrival of arrivals) arrival?.fail(error);
    onDisk.clear();
  };

  return {
    /** Chunks that Redis has acknowledged. */
    sent(chunks: readonly OutgoingChunk<AwaitedEntry>[]): void {
      for (const { entries } of chunks) for (const { arrival } of entries) arrival?.succeed();
    },

    /** Chunks that are on disk now, and not yet in Redis. */
    spilled(chunks: readonly OutgoingChunk<AwaitedEntry>[]): void {
      for (const { id, entries } of chunks) {
        const arrivals = entries.map(({ arrival }) => arrival);
        if (arrivals.some((arrival) => arrival !== null)) onDisk.set(id, arrivals);
      }
    },

    /** Records that were on disk and that Redis refuses for good; the others of their chunks are told of by `replayed`. */
    refusedOnDisk(refused: readonly { chunkId: string; index: number; error: Error }[]): void {
      for (const { chunkId, index, error } of refused) onDisk.get(chunkId)?.[index]?.fail(error);
    },

    /** Chunks that were on disk and are in Redis now. */
    replayed(chunks: readonly { id: string }[]): void {
      for (const { id } of chunks) {
        for (const arrival of onDisk.get(id) ?? []) arrival?.succeed();
        onDisk.delete(id);
      }
    },

    /**
     * Nothing of this life is on disk any more: what is still waited for there was damaged, deleted, or taken over. Which chunks
     * were lost is not known before that.
     */
    diskIsEmpty(): void {
      failOnDisk(new RecordLostError(noLongerOnDisk));
    },

    /** The end: these entries did not leave the memory, and what is on disk stays there. */
    close(unsent: readonly AwaitedEntry[]): void {
      for (const { arrival } of unsent) arrival?.fail(new SenderClosedError(closedInMemory));
      failOnDisk(new SenderClosedError(closedOnDisk));
    },
  };
}
