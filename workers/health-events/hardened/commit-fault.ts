import type { Database } from '../../../shared/platform/postgres/database.ts';
import { withJsonTransaction } from '../../../shared/platform/postgres/database.ts';
import {
  classifyDatabaseError,
  isLackOfResources,
  wayOfFailure,
} from '../../../shared/platform/postgres/database-errors.ts';
import { OwnFaultError } from '../../runtime/circuit-breaker.ts';
import type { Lease } from '../lease.ts';
import type { EventStore } from './apply-batch.ts';
import { commitEvents, loadGames } from './game-store.ts';
import { planEvents } from './plan-events.ts';
import type { Position } from './stream-entry.ts';

/** Failures alike, after each of which another game's event would have gone through. */
const tries = 3;
const lockTimeoutMs = 1_000;
/** Games that are tried, one after the other, to find one whose event goes through. */
const candidates = 3;

/**
 * Finds commits that fail for something that their own events bring about, whatever the error's code says: the same commit
 * fails alike again and again, while an event of another game would go through. That is tried out and taken back.
 */
export function createCommitFault(database: Database, lease: Lease) {
  /** Whether the database would take an event of this game. */
  const takes = async (gameId: string, position: Position): Promise<boolean> => {
    const games = await loadGames(database, [gameId]);
    const occurredAtMs = Date.now();
    const event = { gameId, type: 'probe_failed', occurredAtMs, containerId: null } as const;
    const plan = planEvents(
      games,
      [{ id: `${occurredAtMs}-0`, fields: [], cut: null, before: position, event }],
      occurredAtMs,
    );
    const outcome = await withJsonTransaction(database, { lockTimeoutMs, commits: false }, (transaction) =>
      commitEvents(transaction, lease, {
        plan: { ...plan, games: plan.games.map((game) => ({ ...game, changes: true })) },
        position,
        gap: null,
      }),
    );
    return outcome.kind === 'committed' && plan.games.length > 0;
  };

  /** Whether the database takes an event of another game: of none of these, or else of one of several. */
  const takesOthers = async (gameIds: readonly string[], position: Position): Promise<boolean> => {
    const [onlyId] = gameIds.length === 1 ? gameIds : [];
    const others = await database.$queryRaw<{ game_id: string }[]>`
      select game_id from sluice.runtime_record where game_id is distinct from ${onlyId ?? null}::text
      order by game_id = any(${[...gameIds]}::text[]), random() limit ${candidates}`;
    for (const { game_id: gameId } of others) if (await takes(gameId, position).catch(() => false)) return true;
    return false;
  };

  /**
   * Judges the failures of one commit.
   *
   * @returns what takes a failure; null while it may be an outage, else the error that says that it is not
   */
  return ({ plan, position }: Parameters<EventStore['commit']>[0]) => {
    let alike = 0;
    let way = '';
    return async (thrown: unknown): Promise<OwnFaultError | null> => {
      const error = classifyDatabaseError(thrown);
      if (error.class === 'data' || error.class === 'duplicate' || isLackOfResources(error)) return null;
      const gameIds = plan.games.map(({ gameId }) => gameId);
      const others = await takesOthers(gameIds, position).catch(() => false);
      alike = !others ? 0 : wayOfFailure(error) === way ? alike + 1 : 1;
      way = wayOfFailure(error);
      // What is no error of the database's comes from these very events, each time.
      return alike >= tries || (others && error.class === 'unknown') ? new OwnFaultError(thrown) : null;
    };
  };
}
