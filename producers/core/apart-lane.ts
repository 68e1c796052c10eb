import type { OutgoingChunk } from './outgoing-chunk.ts';
import type { Entry } from './record-buffer.ts';
import { type RefusedRecord, type SendApart, smallestFirst } from './send-apart.ts';

/** The most chunks in the lane. */
const maxApart = 20;

/** Settings of the lane, and its callback. */
export interface ApartLaneOptions<E extends Entry> {
  sendApart: SendApart;
  /** how many sends of this producer Redis has acknowledged so far */
  acknowledged(): number;
  /** stops it */
  signal: AbortSignal;
  /** each record of the chunk is acknowledged or refused */
  onSettled(chunk: OutgoingChunk<E>, refused: readonly RefusedRecord[]): void;
}

/**
 * A lane for chunks of which Redis may permanently refuse something. They are sent one by one, apart from all others, so that
 * the sends behind them go on.
 */
export function createApartLane<E extends Entry>({ sendApart, acknowledged, signal, onSettled }: ApartLaneOptions<E>) {
  const lane: { chunk: OutgoingChunk<E>; acknowledgedBefore: number }[] = [];
  let running: Promise<void> | null = null;

  const run = async (): Promise<void> => {
    for (let next = lane[0]; next !== undefined; next = lane[0]) {
      const { chunk, acknowledgedBefore } = next;
      const refused = await sendApart(chunk, chunk.entries.length, acknowledgedBefore);
      if (refused === null) return;
      onSettled(chunk, refused);
      lane.shift();
    }
  };

  const wake = (): void => {
    if (running !== null || lane.length === 0 || signal.aborted) return;
    running = run().finally(() => {
      running = null;
      // Something may have arrived between its last look and its end.
      wake();
    });
  };

  return {
    /** Takes the chunks. Returns false if the lane is full; then they have to be repeated as if Redis were away. */
    offer(chunks: readonly OutgoingChunk<E>[]): boolean {
      if (lane.length + chunks.length > maxApart) return false;
      lane.push(...smallestFirst(chunks).map((chunk) => ({ chunk, acknowledgedBefore: acknowledged() })));
      wake();
      return true;
    },
    /** settles when the lane is empty; null while it is */
    get running(): Promise<void> | null {
      return running;
    },
  };
}
