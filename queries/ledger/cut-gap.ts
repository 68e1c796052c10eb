import type { Gap } from './gaps.ts';
import type { Standing } from './standing.ts';

/**
 * Where the records of a piece of a gap are.
 *
 * `queued`: their job is in Redis. `failed`: it is in the failed set, where it stays until somebody retries it or newer ones push it
 * out. `unsent`: Redis has not acknowledged them yet, and the producer is alive. `onDisk`: the producer closed and left them in its
 * spill. `abandoned`: the producer closed, could not send them, and had no spill. `uncertain`: the producer is gone, and had not had an
 * acknowledgement. `unchecked`: nobody could be asked. `missing`: Redis had them, and they are neither there nor stored.
 */
export const pieceStates = [
  'missing',
  'uncertain',
  'unchecked',
  'abandoned',
  'onDisk',
  'failed',
  'unsent',
  'queued',
] as const;
export type PieceState = (typeof pieceStates)[number];

export interface Piece extends Gap {
  state: PieceState;
}

/** Chunks one after the other whose jobs are in Redis. */
export interface QueuedRun {
  fromSeq: number;
  /** the last one */
  untilSeq: number;
  /** records of the life before the first and after the last one, by their headers; null: a header could not be read */
  start: number | null;
  end: number | null;
  isFailed: boolean;
}

/** What Redis and the producer say about the chunks of a gap. */
export interface GapFacts {
  /** in ascending order */
  queued: readonly QueuedRun[];
  /** the last chunk that Redis was asked about; chunks beyond it were too many. Infinity: all were. null: Redis did not answer */
  askedUntilSeq: number | null;
  /** by the last report; null: there is none */
  lastSeq: number | null;
  /** chunks that Redis had not acknowledged at the last report: first and last number of each run, in ascending order */
  unacknowledged: readonly (readonly [from: number, until: number])[];
  /** true: the report has no room for more runs, so chunks beyond the last one are not known to be acknowledged */
  hasMoreUnacknowledged: boolean;
  /** whether the producer had records on its disk at the last report */
  hasSpill: boolean;
  standing: Standing;
}

/** Cuts a gap into pieces with one state each, in the order of the records. */
export function cutGap(gap: Gap, facts: GapFacts): Piece[] {
  const pieces: Piece[] = [];
  let rest: Gap = gap;
  for (const run of facts.queued) {
    const isFirst = run.fromSeq <= rest.fromSeq;
    const isLast = run.untilSeq >= rest.untilSeq;
    const start = isFirst ? rest.start : run.start;
    const end = isLast ? rest.end : run.end;
    if (start === null || end === null || start < rest.start || end > rest.end)
      return [...pieces, { ...rest, state: 'unchecked' }];
    if (start > rest.start) pieces.push(withState({ ...rest, untilSeq: run.fromSeq - 1, end: start }, facts));
    if (end > start)
      pieces.push({
        ...rest,
        fromSeq: run.fromSeq,
        untilSeq: run.untilSeq,
        start,
        end,
        state: run.isFailed ? 'failed' : 'queued',
      });
    rest = { ...rest, fromSeq: run.untilSeq + 1, start: end };
  }
  return rest.end > rest.start ? [...pieces, withState(rest, facts)] : pieces;
}

/** A piece that is not in Redis. As long as one of its chunks may still come, all of it is said to. */
function withState(gap: Gap, facts: GapFacts): Piece {
  const { askedUntilSeq, standing } = facts;
  if (askedUntilSeq === null || gap.untilSeq > askedUntilSeq) return { ...gap, state: 'unchecked' };
  if (!mayBeUnsent(gap, facts)) return { ...gap, state: 'missing' };
  return { ...gap, state: stateOfUnsent(standing, facts.hasSpill) };
}

function stateOfUnsent(standing: Standing, hasSpill: boolean): PieceState {
  if (standing === 'alive') return 'unsent';
  if (standing === 'silent') return 'uncertain';
  return hasSpill ? 'onDisk' : 'abandoned';
}

function mayBeUnsent(
  { fromSeq, untilSeq }: Gap,
  { lastSeq, unacknowledged, hasMoreUnacknowledged }: GapFacts,
): boolean {
  if (lastSeq === null || untilSeq > lastSeq) return true;
  if (hasMoreUnacknowledged && untilSeq > (unacknowledged.at(-1)?.[1] ?? 0)) return true;
  return unacknowledged.some(([from, until]) => from <= untilSeq && until >= fromSeq);
}
