import type { QueuedRun } from './cut-gap.ts';
import type { Gap } from './gaps.ts';
import type { ChunkProgress } from './read-unsettled.ts';

/**
 * Adds the chunks of a gap that have been stored since the gap was read: at that moment they were on their way.
 *
 * @param rows of the life of the gap
 */
export function withStoredMeanwhile(
  gap: Gap,
  queued: readonly QueuedRun[],
  rows: readonly Pick<ChunkProgress, 'seq' | 'before' | 'total'>[],
): QueuedRun[] {
  const isQueued = (seq: number): boolean => queued.some(({ fromSeq, untilSeq }) => seq >= fromSeq && seq <= untilSeq);
  const stored = rows
    .filter(({ seq }) => seq >= gap.fromSeq && seq <= gap.untilSeq && !isQueued(seq))
    .map(({ seq, before, total }) => ({
      fromSeq: seq,
      untilSeq: seq,
      start: before,
      end: before + total,
      isFailed: false,
    }));
  return [...queued, ...stored].toSorted((a, b) => a.fromSeq - b.fromSeq);
}
