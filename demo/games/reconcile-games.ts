import type { GameState } from './game-events.ts';
import type { GameNames } from './stream-fields.ts';

/** The state of a game, from its record or from a snapshot. */
export interface FoundState {
  status: string;
  health: string;
}

/** What one run of the demo wrote to the stream. */
export interface GamesReported {
  /** registered games */
  games: number;
  /** entries */
  sent: number;
  /** the expected state of each game's record, by the game's id; only games that had an event */
  expected: ReadonlyMap<string, GameState>;
  /** of the bad entries */
  marks: ReadonlySet<string>;
  /** every entry has an id, and the offset has reached the last one */
  isApplied: boolean;
}

/** What the database and the lobby's stream contain of it. */
export interface GamesFound {
  records: ReadonlyMap<string, FoundState>;
  /** the last snapshot of each game */
  snapshots: ReadonlyMap<string, FoundState>;
  snapshotCount: number;
  /** payloads of dead letters */
  deadLetters: readonly string[];
}

/** How the games of a run ended, and what happened to the entries. */
export interface GameAccounts {
  games: number;
  /** entries of the stream: events and bad entries */
  sent: number;
  events: number;
  /** bad entries that are dead letters, as expected */
  dead: number;
  /** games by the status of their record */
  running: number;
  unreachable: number;
  /** snapshots in the lobby's stream */
  snapshots: number;
  isApplied: boolean;
  /** games whose record does not match their events */
  wrong: number;
  /** games whose last snapshot does not match their record */
  unpublished: number;
  /** bad entries without a dead letter, and events with one */
  unaccounted: number;
  reconciled: boolean;
}

/**
 * Compares what was written with what is stored, game by game. Reconciled if everything was applied, every record matches its
 * events in order, the lobby has that state, and the bad entries and nothing else are dead letters.
 */
export function reconcileGames(
  reported: GamesReported,
  found: GamesFound,
  { markIn }: Pick<GameNames, 'markIn'>,
): GameAccounts {
  const { games, sent, expected, marks, isApplied } = reported;
  const gameIds = [...expected.keys()];
  const wrong = gameIds.filter((gameId) => !isSame(expected.get(gameId), found.records.get(gameId))).length;
  const unpublished = gameIds.filter(
    (gameId) => !isSame(found.records.get(gameId), found.snapshots.get(gameId)),
  ).length;
  const buried = new Set(found.deadLetters.map(markIn));
  const dead = [...marks].filter((mark) => buried.has(mark)).length;
  const strangers = found.deadLetters.filter((deadLetter) => !marks.has(markIn(deadLetter) ?? '')).length;
  const unaccounted = marks.size - dead + strangers;
  const withStatus = (status: GameState['status']): number =>
    [...found.records.values()].filter((record) => record.status === status).length;
  return {
    games,
    sent,
    events: sent - marks.size,
    dead,
    running: withStatus('running'),
    unreachable: withStatus('engine_unreachable'),
    snapshots: found.snapshotCount,
    isApplied,
    wrong,
    unpublished,
    unaccounted,
    reconciled: isApplied && wrong === 0 && unpublished === 0 && unaccounted === 0,
  };
}

function isSame(a: FoundState | undefined, b: FoundState | undefined): boolean {
  return a !== undefined && a.status === b?.status && a.health === b.health;
}
