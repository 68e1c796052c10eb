import type { Database } from '../../shared/platform/postgres/database.ts';
import { inSnapshot } from '../executions/snapshot.ts';
import { gapsAtEnds, hasHoles, isWithin } from './gaps-of-life.ts';
import { type LifeAccount, toLifeAccount } from './life-account.ts';
import { type LifeKey, nameOf, toKey } from './life-key.ts';
import { type LifeGap, type LookedUp, lookUpGaps, type RedisNamespace } from './look-up.ts';
import { readWrongClocks, type WrongClock } from './read-clocks.ts';
import { type LifeRow, readHoles, readLives } from './read-lives.ts';
import { type MinuteSpan, readShortfalls, type ShortfallRow } from './read-shortfalls.ts';
import { type HeldRow, readSums, type Sums } from './read-sums.ts';
import { readAgain, readUnsettled, type UnsettledChunk } from './read-unsettled.ts';
import type { Scope } from './scope.ts';
import { withStoredMeanwhile } from './stored-meanwhile.ts';

/** What one snapshot says. */
export interface Books {
  sums: Sums;
  lives: LifeRow[];
  livesLeftOut: number;
  gaps: LifeGap[];
  shortfalls: ShortfallRow[];
  clocks: WrongClock[];
  /** by the clock of the database */
  nowMs: number;
}

/** Reads the books of a window, from one snapshot. @throws the database's error */
export function readBooks(database: Database, scope: Scope, timeoutMs?: number): Promise<Books> {
  return inSnapshot(
    database,
    async (snapshot) => {
      const sums = await readSums(snapshot, scope);
      const { lives, leftOut: livesLeftOut } = await readLives(snapshot, scope);
      const holes = await readHoles(snapshot, scope, lives.filter(hasHoles));
      const unsettled = await readUnsettled(snapshot, scope);
      const clocks = await readWrongClocks(snapshot, scope);
      const [now] = await snapshot.$queryRaw<{ ms: number }[]>`select (extract(epoch from now()) * 1000)::float8 as ms`;
      const gaps = toGaps(scope, lives, holes, unsettled);
      const shortfalls = await readShortfalls(snapshot, scope, toSpans(gaps));
      return { sums, lives, livesLeftOut, gaps, shortfalls, clocks, nowMs: now?.ms ?? Date.now() };
    },
    timeoutMs,
  );
}

function toGaps(
  { window: { since, until } }: Scope,
  lives: readonly LifeRow[],
  holes: readonly (LifeKey & { gap: LifeGap['gap'] })[],
  unsettled: readonly UnsettledChunk[],
): LifeGap[] {
  const whole = [
    ...lives.flatMap((key) => gapsAtEnds(key).map((gap) => ({ key, gap }))),
    ...holes.map((hole) => ({ key: hole, gap: hole.gap })),
  ];
  const [sinceMinute, untilMinute] = [since.getTime() / 60_000, until.getTime() / 60_000];
  return [
    ...whole.map(({ key, gap }) => ({
      key,
      gap,
      chunkRecords: gap.fromSeq === gap.untilSeq ? gap.end - gap.start : null,
    })),
    ...unsettled.map((chunk) => ({ key: chunk, gap: toPartGap(chunk), chunkRecords: chunk.total })),
  ].filter(({ gap }) => isWithin(gap, sinceMinute, untilMinute));
}

/** The minutes of the gaps of each life, as one span. */
function toSpans(gaps: readonly LifeGap[]): MinuteSpan[] {
  const spans = new Map<string, MinuteSpan>();
  for (const { key, gap } of gaps) {
    const minutes = [gap.fromMinute, gap.untilMinute].filter((minute) => minute !== null);
    if (minutes.length === 0) continue;
    const known = spans.get(nameOf(key));
    spans.set(nameOf(key), {
      ...toKey(key),
      fromMinute: Math.min(...minutes, known?.fromMinute ?? Number.POSITIVE_INFINITY),
      untilMinute: Math.max(...minutes, known?.untilMinute ?? 0),
    });
  }
  return [...spans.values()];
}

/** What is not settled of a chunk that a worker has begun with: as many records, whichever they are. */
function toPartGap({ seq, before, unsettled, minute }: UnsettledChunk): LifeGap['gap'] {
  return {
    ...{ fromSeq: seq, untilSeq: seq, start: before, end: before + unsettled },
    ...{ fromMinute: minute, untilMinute: minute },
  };
}

/**
 * Asks Redis, and then the database again, where the records of the gaps are, and books what is open on each life.
 *
 * @param place null: Redis is not asked, and what it may have is unchecked
 */
export async function closeBooks(
  database: Database,
  scope: Scope,
  { lives, gaps, sums, shortfalls }: Pick<Books, 'lives' | 'gaps' | 'sums' | 'shortfalls'>,
  place: RedisNamespace | null,
): Promise<LifeAccount[]> {
  const lookedUp = await lookUpGaps(place, gaps);
  const doubtful = gaps.filter((entry) => !isAllQueued(entry, lookedUp.get(entry)));
  const again = await readAgain(
    database,
    doubtful.map(({ key, gap: { fromSeq, untilSeq } }) => ({ ...toKey(key), fromSeq, untilSeq })),
  );
  const againOf = Map.groupBy(again, nameOf);
  const gapsOf = Map.groupBy(gaps, ({ key }) => nameOf(key));
  const shortOf = Map.groupBy<string, ShortfallRow>(shortfalls, nameOf);
  const heldOf = Map.groupBy<string, HeldRow>(sums.held, nameOf);
  return lives.map((life) => {
    const name = nameOf(life);
    const theirs = (gapsOf.get(name) ?? []).map((entry) => ({
      gap: entry.gap,
      lookedUp: withSecondLook(entry, lookedUp.get(entry), againOf.get(name) ?? []),
    }));
    return toLifeAccount(life, theirs, { shortfalls: shortOf.get(name) ?? [], held: heldOf.get(name) ?? [] }, scope);
  });
}

function isAllQueued({ gap }: LifeGap, lookedUp: LookedUp | undefined): boolean {
  const queued = lookedUp?.queued.reduce((sum, { fromSeq, untilSeq }) => sum + untilSeq - fromSeq + 1, 0) ?? 0;
  return queued === gap.untilSeq - gap.fromSeq + 1;
}

const nothingAsked: LookedUp = { queued: [], askedUntilSeq: null };

/** What has been stored or settled since the snapshot was on its way then. */
function withSecondLook(
  { gap, chunkRecords }: LifeGap,
  lookedUp: LookedUp = nothingAsked,
  rows: Awaited<ReturnType<typeof readAgain>>,
): LookedUp {
  const isPart = chunkRecords !== null && rows.some(({ seq, before }) => seq === gap.fromSeq && before === gap.start);
  const moved = isPart
    ? rows.filter(({ seq, unsettled }) => seq === gap.fromSeq && unsettled < gap.end - gap.start)
    : rows;
  return { ...lookedUp, queued: withStoredMeanwhile(gap, lookedUp.queued, moved) };
}
