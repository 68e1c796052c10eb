import { type ChunkNumbers, seqOf } from './chunk-numbers.ts';
import { NumberRanges } from './number-ranges.ts';
import type { SettledChunk } from './outgoing-chunk.ts';
import type { Tallies } from './tallies.ts';
import { type Tally, type TallyRun, tallyRuns } from './tally.ts';

/** Run lengths that are remembered of chunks on disk; of the chunks beyond, only the sum over all minutes is right. */
const mostRunsOnDisk = 100_000;

/**
 * Counts in the tallies of records what becomes of their chunks, and which chunks Redis has. Of a record on disk, nothing is kept
 * in memory but its share in a run length.
 */
export function createDeliveryTallies(numbers: ChunkNumbers, tallies: Pick<Tallies, 'addSent'>) {
  /** by id */
  const onDisk = new Map<string, readonly TallyRun[]>();
  const seqsOnDisk = new NumberRanges();
  let runsOnDisk = 0;

  const replay = (id: string, refused: ReadonlySet<number>): void => {
    let place = 0;
    for (const { tally, records } of onDisk.get(id) ?? []) {
      for (const end = place + records; place < end; place += 1) {
        if (refused.has(place)) tally.refused += 1;
        else tally.sent += 1;
      }
    }
    runsOnDisk -= onDisk.get(id)?.length ?? 0;
    onDisk.delete(id);
  };

  return {
    /** Redis has these chunks, except for those of their records that are not among the entries. */
    sent(chunks: readonly SettledChunk[]): void {
      for (const { id, entries } of chunks) {
        numbers.unacknowledged.delete(seqOf(id));
        for (const { tally } of entries) if (tally) tally.sent += 1;
      }
    },

    /** Redis permanently refuses a record. */
    refused({ tally }: { tally?: Tally | null }): void {
      if (tally) tally.refused += 1;
    },

    /** These chunks are on disk now and not yet in Redis. */
    spilled(chunks: readonly SettledChunk[]): void {
      for (const { id, entries } of chunks) {
        seqsOnDisk.add(seqOf(id));
        const runs = tallyRuns(entries) ?? [];
        if (runsOnDisk + runs.length > mostRunsOnDisk) leave(runs);
        else {
          onDisk.set(id, runs);
          runsOnDisk += runs.length;
        }
      }
    },

    /** These chunks of this session were on disk. Redis has them now, except for the refused records. */
    replayed(
      chunks: readonly { id: string; records: number }[],
      refused: readonly { chunkId: string; index: number }[],
    ): void {
      for (const { id, records } of chunks) {
        const theirs = new Set(refused.flatMap(({ chunkId, index }) => (chunkId === id ? [index] : [])));
        if (!onDisk.has(id)) tallies.addSent(records - theirs.size);
        replay(id, theirs);
        for (const seqs of [numbers.unacknowledged, seqsOnDisk]) seqs.delete(seqOf(id));
      }
    },

    /** Nothing of this session is on disk any more: what was not replayed was damaged, deleted or taken over. */
    diskIsEmpty(): void {
      for (const runs of onDisk.values()) leave(runs);
      onDisk.clear();
      runsOnDisk = 0;
      for (const seq of seqsOnDisk) numbers.unacknowledged.delete(seq);
      seqsOnDisk.clear();
    },

    /** These chunks were given up. They may have arrived. */
    givenUp(chunks: readonly SettledChunk[]): void {
      for (const { entries } of chunks) for (const { tally } of entries) if (tally) tally.left += 1;
    },
  };
}

function leave(runs: readonly TallyRun[]): void {
  for (const { tally, records } of runs) tally.left += records;
}

export type DeliveryTallies = ReturnType<typeof createDeliveryTallies>;
