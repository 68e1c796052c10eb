import type { Piece, PieceState } from './cut-gap.ts';
import { recordsIn } from './gaps.ts';

/** Records of a life that are in chunks and not settled, by the counts of its reports and of the chunks that have arrived. */
export interface Shortfall {
  /** empty: none */
  realm: string;
  /** the beginning of the bucket, in ms since 1970 */
  bucketMs: number;
  records: number;
  /** of those, what Redis has refused by the producer's count: it is in no other place, and booked already */
  refused: number;
}

/** Records of a piece, and whose they are. */
export interface Attributed {
  state: PieceState;
  realm: string;
  bucketMs: number;
  records: number;
  /** true: no report tells of these records. The realm is empty, and the bucket that of the chunks next to them */
  isGuess: boolean;
}

/** The pieces with what is booked on each, and all of that by realm and bucket. */
export interface Attribution {
  /** records of each piece within the window, without those that were refused */
  booked: number[];
  attributed: Attributed[];
}

/**
 * Says whose the records of the pieces of a life are, and when they were recorded. How many there are comes from the numbers of the
 * chunks alone; the reports say where to book them, and which of them Redis has refused.
 *
 * @param window the first bucket and the end of the last one: what a piece has beyond is of another window
 * @param bucketOf the bucket of a minute
 */
export function attribute(
  pieces: readonly Piece[],
  shortfalls: readonly Shortfall[],
  window: { sinceMs: number; untilMs: number },
  bucketOf: (minute: number) => number,
): Attribution {
  const left = shortfalls.map(({ refused, records, ...place }) => ({ ...place, refused, other: records - refused }));
  const attributed: Attributed[] = [];
  const booked = pieces.map((piece) => {
    const { state } = piece;
    const [fromMs, untilMs] = bucketsOf(piece, bucketOf);
    const near = left.filter(({ bucketMs }) => bucketMs >= fromMs && bucketMs <= untilMs);
    // Chunks of several shards do not follow each other in time.
    const inOrder = [...near, ...left.filter((one) => !near.includes(one))];
    let open = recordsIn(piece);
    let sum = 0;
    const book = (realm: string, bucketMs: number, records: number, isGuess: boolean): void => {
      if (records === 0) return;
      attributed.push({ state, realm, bucketMs, records, isGuess });
      open -= records;
      sum += records;
    };
    const takeRefused = (): void => {
      for (const shortfall of inOrder) {
        const records = Math.min(open, shortfall.refused);
        shortfall.refused -= records;
        open -= records;
      }
    };
    // What is nowhere was refused first. What is somewhere was not, unless nothing else is left.
    if (state === 'missing') takeRefused();
    for (const shortfall of inOrder) {
      const records = Math.min(open, shortfall.other);
      shortfall.other -= records;
      book(shortfall.realm, shortfall.bucketMs, records, false);
    }
    takeRefused();
    const isWithin = fromMs >= window.sinceMs && untilMs < window.untilMs;
    if (isWithin) book('', fromMs, open, true);
    return sum;
  });
  return { booked, attributed };
}

function bucketsOf({ fromMinute, untilMinute }: Piece, bucketOf: (minute: number) => number): [number, number] {
  const minutes = [fromMinute, untilMinute].filter((minute) => minute !== null);
  if (minutes.length === 0) return [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  return [bucketOf(Math.min(...minutes)), bucketOf(Math.max(...minutes))];
}
