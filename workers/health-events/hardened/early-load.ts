import type { StoredGame } from './plan-events.ts';

type Games = Map<string, StoredGame>;

/**
 * Loads the game of the entry that ended a wait while the entry itself is still being read: the two servers work at the same
 * time, and the lobby hears of a single event sooner. The commit finds out if the record changes meanwhile.
 *
 * @param load what begins early
 */
export function createEarlyLoad(load: (gameIds: readonly string[]) => Promise<Games>) {
  let early: { gameId: string; games: Promise<Games> } | null = null;

  return {
    begin(gameId: string): void {
      const games = load([gameId]);
      // Whoever takes it hears of a failure; when nobody does, it is of no account.
      games.catch(() => undefined);
      early = { gameId, games };
    },

    /** For when the watermarks change in another way than by a commit. */
    forget(): void {
      early = null;
    },

    /** What began early, if that is exactly what is wanted now; null otherwise. It is good for this one time, also if it fails. */
    take(gameIds: readonly string[]): Promise<Games> | null {
      const taken = early;
      early = null;
      return taken !== null && gameIds.length === 1 && gameIds[0] === taken.gameId ? taken.games : null;
    },
  };
}
