import type { SettledChunk } from './outgoing-chunk.ts';
import type { DeliveryAck } from './record-buffer.ts';
import { RecordLostError, SenderClosedError } from './send-errors.ts';

/** An acknowledgement and the promise of the send that waits for it. */
export interface AwaitedAck extends DeliveryAck {
  readonly promise: Promise<void>;
}

export function createAck(): AwaitedAck {
  let ack: DeliveryAck = { succeed: () => undefined, fail: () => undefined };
  const promise = new Promise<void>((succeed, fail) => {
    ack = { succeed, fail };
  });
  // Nobody listens once the wait was aborted.
  promise.catch(() => undefined);
  return { ...ack, promise };
}

const closedInMemory = 'the sender was closed before Redis acknowledged the record; it may have arrived nevertheless';
const closedOnDisk =
  'the sender was closed before the record reached Redis; it is on disk, and the next process with this spill directory sends it';
const noLongerOnDisk = 'the record on disk is damaged, gone, or taken over by another process, which sends it';

/**
 * Tells durable sends what became of their records. A record that goes by way of the disk is found by its chunk's id and its
 * place in the chunk; nothing of the record itself is kept here.
 */
export function createDeliveryAcks() {
  /** by chunk, in the order of its records; only chunks that somebody waits for */
  const onDisk = new Map<string, readonly (DeliveryAck | null)[]>();

  const failOnDisk = (error: Error): void => {
    for (const acks of onDisk.values()) for (const ack of acks) ack?.fail(error);
    onDisk.clear();
  };

  return {
    /** Redis has these chunks. */
    sent(chunks: readonly SettledChunk[]): void {
      for (const { entries } of chunks) for (const { ack } of entries) ack?.succeed();
    },

    /** These chunks are on disk now and not yet in Redis. */
    spilled(chunks: readonly SettledChunk[]): void {
      for (const { id, entries } of chunks)
        if (entries.some(({ ack }) => ack))
          onDisk.set(
            id,
            entries.map(({ ack }) => ack ?? null),
          );
    },

    /** These chunks were on disk. Redis has them now, except for the refused records. */
    replayed(
      chunks: readonly { id: string }[],
      refused: readonly { chunkId: string; index: number; error: Error }[],
    ): void {
      for (const { chunkId, index, error } of refused) onDisk.get(chunkId)?.[index]?.fail(error);
      for (const { id } of chunks) {
        for (const ack of onDisk.get(id) ?? []) ack?.succeed();
        onDisk.delete(id);
      }
    },

    /**
     * Nothing of this session is on disk any more: whatever is still awaited there was damaged, deleted or taken over. Until
     * then it is not known which chunks were lost.
     */
    diskIsEmpty(): void {
      failOnDisk(new RecordLostError(noLongerOnDisk));
    },

    /** These entries did not leave the memory before the end. */
    givenUp(entries: readonly { ack?: DeliveryAck | null }[]): void {
      for (const { ack } of entries) ack?.fail(new SenderClosedError(closedInMemory));
    },

    /** The end: what is on disk stays there. */
    close(): void {
      failOnDisk(new SenderClosedError(closedOnDisk));
    },
  };
}
