import { reportLimits } from '../../shared/contracts/ledger-report.ts';
import { type Attributed, attribute, type Shortfall } from './attribute.ts';
import { cutGap, type Piece } from './cut-gap.ts';
import { type Gap, recordsIn } from './gaps.ts';
import type { LookedUp } from './look-up.ts';
import type { LifeRow } from './read-lives.ts';
import type { HeldRow } from './read-sums.ts';
import { bucketOf, type Scope } from './scope.ts';
import { type Standing, standingOf } from './standing.ts';

/** Records that are held by a producer, by realm and bucket. */
export interface Held {
  realm: string;
  bucketMs: number;
  records: number;
}

/** What is not settled of a life, and why. */
export interface LifeAccount {
  life: LifeRow;
  standing: Standing;
  pieces: { piece: Piece; records: number }[];
  attributed: Attributed[];
  /** recorded and in no chunk, as far as its last report admits */
  held: Held[];
  /** the most that it may have lost: 0 unless it is silent */
  mayBeLost: number;
}

/** Records that a producer's buffer holds unless it is told otherwise. */
const usualBuffer = 10_000;

/** Books what a life has left open. */
export function toLifeAccount(
  life: LifeRow,
  gaps: readonly { gap: Gap; lookedUp: LookedUp }[],
  open: { shortfalls: readonly Shortfall[]; held: readonly HeldRow[] },
  scope: Scope,
): LifeAccount {
  const { report } = life;
  const standing = standingOf(
    { lastAtMs: report?.lastAtMs ?? null, isFinal: report?.isFinal ?? false, lastChunkAtMs: life.lastChunkAtMs },
    life.nowMs,
  );
  const pieces = gaps.flatMap(({ gap, lookedUp }) =>
    cutGap(gap, {
      ...lookedUp,
      lastSeq: report?.lastSeq ?? null,
      unacknowledged: report?.unacknowledged ?? [],
      hasMoreUnacknowledged: (report?.unacknowledged.length ?? 0) >= reportLimits.unacknowledged,
      hasSpill: (report?.spilledRecords ?? 0) > 0,
      standing,
    }),
  );
  const { buckets, window } = scope;
  const { booked, attributed } = attribute(
    pieces,
    open.shortfalls,
    { sinceMs: buckets.firstMs, untilMs: window.until.getTime() },
    (minute) => bucketOf(scope, minute),
  );
  const held = toHeld(open.held, standing === 'closed' ? 0 : (report?.waitingRecords ?? 0));
  return {
    life,
    standing,
    pieces: pieces.map((piece, index) => ({ piece, records: booked[index] ?? 0 })),
    attributed,
    held,
    mayBeLost: standing === 'silent' ? mostLost(life, pieces, held) : 0,
  };
}

/** What was recorded and is in no chunk waits with the producer. More than that says, it does not. */
function toHeld(open: readonly HeldRow[], waiting: number): Held[] {
  let left = waiting;
  return open
    .toSorted((a, b) => b.bucketMs - a.bucketMs)
    .flatMap(({ realm, bucketMs, held }) => {
      const records = Math.min(held, left);
      left -= records;
      return records === 0 ? [] : [{ realm, bucketMs, records }];
    });
}

/**
 * What a life may have lost that nobody hears of any more. If chunks came after its last report, it was at work when it ended, and
 * whatever its buffer could hold may have been there.
 */
function mostLost(life: LifeRow, pieces: readonly Piece[], held: readonly Held[]): number {
  const lastReported = life.report?.lastSeq ?? 0;
  const wasAtWork = life.lastSeq !== null && life.after === null && life.lastSeq > lastReported;
  const uncertain = pieces
    .filter(({ state }) => state === 'uncertain')
    .reduce((sum, piece) => sum + recordsIn(piece), 0);
  const waiting = held.reduce((sum, { records }) => sum + records, 0);
  return uncertain + (wasAtWork ? Math.max(usualBuffer, waiting) : waiting);
}
