import { countRecords } from './chunker.ts';
import type { DeliveryLedger } from './delivery-ledger.ts';
import type { OutgoingChunk } from './outgoing-chunk.ts';
import type { Entry, RecordBuffer } from './record-buffer.ts';
import type { RefusedRecord } from './send-apart.ts';

/**
 * Holds the chunks that were taken from the buffer. They keep their room there until their outcome is known. Each has one
 * outcome: an answer that comes after a chunk was written to disk or given up changes nothing.
 */
export function createInFlight<E extends Entry>(
  buffer: RecordBuffer<E>,
  hooks: Pick<DeliveryLedger<E>, 'sent' | 'refused' | 'spilled' | 'givenUp'>,
) {
  const inFlight = new Set<OutgoingChunk<E>>();

  const settle = (chunks: readonly OutgoingChunk<E>[], tell: (settled: readonly OutgoingChunk<E>[]) => void): void => {
    const settled = chunks.filter((chunk) => inFlight.delete(chunk));
    for (const { entries } of settled) buffer.release(entries);
    if (settled.length > 0) tell(settled);
  };

  return {
    add(chunk: OutgoingChunk<E>): void {
      inFlight.add(chunk);
    },

    /** Lists all chunks that are in flight. */
    list: (): OutgoingChunk<E>[] => [...inFlight],

    /** Redis has the chunks. */
    sent: (chunks: readonly OutgoingChunk<E>[]): void => settle(chunks, hooks.sent),

    /** The disk has the chunks. */
    spilled: (chunks: readonly OutgoingChunk<E>[]): void => settle(chunks, hooks.spilled),

    /** Redis has a chunk, except for the refused records. */
    sentApart(chunk: OutgoingChunk<E>, refused: readonly RefusedRecord[]): void {
      settle([chunk], () => {
        const errors = new Map(refused.map(({ index, error }) => [index, error]));
        const sent = chunk.entries.filter((_entry, index) => !errors.has(index));
        hooks.sent([{ id: chunk.id, entries: sent }]);
        for (const [index, error] of errors) {
          const entry = chunk.entries[index];
          if (entry !== undefined) hooks.refused(entry, error);
        }
      });
    },

    /** Gives up what was taken without becoming a chunk. @returns how many records that are */
    giveUp(waiting: readonly E[]): number {
      buffer.release(waiting);
      hooks.givenUp(waiting, []);
      return waiting.length;
    },

    /** Gives all of them up. @returns how many records they have */
    giveUpAll(): number {
      const chunks = [...inFlight];
      inFlight.clear();
      for (const { entries } of chunks) buffer.release(entries);
      hooks.givenUp([], chunks);
      return countRecords(chunks);
    },
  };
}

export type InFlight<E extends Entry = Entry> = ReturnType<typeof createInFlight<E>>;
