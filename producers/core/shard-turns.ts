import { type Backoff, backoffMs } from '../../shared/platform/backoff.ts';

/** What is left alone after a failure: a server with all of its shards, or one shard. */
interface Rest {
  /** consecutive ones */
  failures: number;
  /** by the clock of the options */
  untilMs: number;
}

/** How long it is left alone: so many ms at least, and a random time more. */
const leastRestMs = 1_000;
const moreRest: Backoff = { baseMs: 1_000, maxMs: 30_000 };

export interface ShardTurnsOptions {
  /** the names of the shards, from the first one */
  shards: readonly string[];
  /** the name of the server that has the shard now; it may change */
  serverOf(index: number): string;
  /** whether the server of the shard has less room than others: it gets what no other one takes. @default none has */
  isNearlyFull?(index: number): boolean;
  /** the longest that a send takes, in ms */
  answerWithinMs: number;
  /** in ms, never going back */
  now(): number;
  /** uniform in [0, 1) */
  random(): number;
}

/**
 * Decides which shard is next: by turns, except for those that are left alone because they, or their server, did not take what
 * was sent last. When the time is over, a single send tries again. While all are left alone, a send tries the one whose time is
 * over first.
 */
export function createShardTurns(options: ShardTurnsOptions) {
  const { shards, serverOf, isNearlyFull = () => false, answerWithinMs, now, random } = options;
  const rests = new Map<string, Rest>();
  let turn = 0;

  const restsOf = (index: number): Rest[] =>
    [serverOf(index), shards[index] as string].flatMap((place) => rests.get(place) ?? []);

  const choose = (index: number): number => {
    turn = (index + 1) % shards.length;
    return index;
  };

  const restsUntilMs = (index: number): number => Math.max(...restsOf(index).map(({ untilMs }) => untilMs));

  /** Until the outcome of this try is known, others do not try. */
  const tryOnce = (index: number): number => {
    for (const rest of restsOf(index)) rest.untilMs = now() + answerWithinMs;
    return choose(index);
  };

  return {
    /** @param tried servers and shards that did not take what is sent @returns null: there is none that is worth another try */
    next(tried: ReadonlySet<string>): number | null {
      if (rests.size === 0 && tried.size === 0 && !isNearlyFull(turn)) return choose(turn);
      const nowMs = now();
      let nearlyFull: number | null = null;
      let soonest: { index: number; untilMs: number } | null = null;
      for (let offset = 0; offset < shards.length; offset += 1) {
        const index = (turn + offset) % shards.length;
        if (tried.has(serverOf(index)) || tried.has(shards[index] as string)) continue;
        const untilMs = restsUntilMs(index);
        if (untilMs > nowMs) {
          if (soonest === null || untilMs < soonest.untilMs) soonest = { index, untilMs };
        } else if (isNearlyFull(index)) nearlyFull ??= index;
        else return tryOnce(index);
      }
      if (nearlyFull !== null) return tryOnce(nearlyFull);
      return soonest !== null && tried.size === 0 ? choose(soonest.index) : null;
    },

    /** Servers and shards have taken what was sent. */
    onTaken(...places: readonly string[]): void {
      for (const place of places) rests.delete(place);
    },

    /** A server or a shard has not taken what was sent. */
    onFailed(place: string): void {
      const failures = (rests.get(place)?.failures ?? 0) + 1;
      rests.set(place, { failures, untilMs: now() + leastRestMs + backoffMs(moreRest, failures - 1, random) });
    },

    /** A server has not answered for a while; how it ends is told later. */
    onSilent(place: string): void {
      rests.set(place, { failures: rests.get(place)?.failures ?? 0, untilMs: now() + answerWithinMs });
    },

    /** Whether any shard whose server has room is not left alone, or may be tried again. Yes if no server is nearly full. */
    get hasRoom(): boolean {
      const roomy = shards.flatMap((_shard, index) => (isNearlyFull(index) ? [] : [index]));
      return roomy.length === shards.length || roomy.some((index) => restsUntilMs(index) <= now());
    },

    /** Whether any shard has taken what it was sent last. */
    get mayMoveOn(): boolean {
      return shards.some((_shard, index) => restsOf(index).length === 0);
    },

    /** how many shards are left alone now, also because others have more room */
    get leftAlone(): number {
      const isFull = shards.map((_shard, index) => isNearlyFull(index));
      const isAnyRoomy = isFull.includes(false);
      return isFull.filter((full, index) => (full && isAnyRoomy) || restsOf(index).length > 0).length;
    },
  };
}

export type ShardTurns = ReturnType<typeof createShardTurns>;
