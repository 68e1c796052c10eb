import { fieldOf } from '../../shared/contracts/health-event.ts';
import { firstStreamId } from '../../shared/contracts/stream-id.ts';
import type { Database } from '../../shared/platform/postgres/database.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';
import type { TargetStore } from '../rounds.ts';
import type { GameState, HealthBacklog } from './health-backlog.ts';

/** Where workers drain backlogs, and where the results are checked. */
export interface HealthTarget extends TargetStore {
  /** Makes a backlog the one that is counted, before any of it is in the stream. */
  expect(backlog: HealthBacklog, lobbyStream: string): Promise<void>;
}

const entriesPerRead = 5_000;

/**
 * Nothing is emptied between runs: each backlog has games of its own, and a running worker may know the old ones. The rows that are
 * counted are the events of all games whose record and last snapshot in the lobby are as expected.
 */
export function createHealthTarget(database: Database, redis: Redis): HealthTarget {
  let current: { backlog: HealthBacklog; lobbyStream: string; lobbyEnd: string } | null = null;

  const readLobby = async (lobbyStream: string, after: string): Promise<Map<string, GameState>> => {
    const published = new Map<string, GameState>();
    let place = after;
    for (;;) {
      const entries = await redis.xrange(lobbyStream, `(${place}`, '+', 'COUNT', entriesPerRead);
      for (const [id, fields] of entries) {
        place = id;
        const status = fieldOf(fields, 'runtime_status') ?? '';
        published.set(fieldOf(fields, 'game_id') ?? '', {
          status,
          health: fieldOf(fields, 'engine_health_summary') ?? '',
        });
      }
      if (entries.length < entriesPerRead) return published;
    }
  };

  return {
    async expect(backlog, lobbyStream) {
      const [last] = await redis.xrevrange(lobbyStream, '+', '-', 'COUNT', 1);
      current = { backlog, lobbyStream, lobbyEnd: last?.[0] ?? firstStreamId };
    },
    async reset() {
      await database.$executeRaw`checkpoint`;
    },
    async countRows() {
      if (current === null) return 0;
      const { backlog, lobbyStream, lobbyEnd } = current;
      const published = await readLobby(lobbyStream, lobbyEnd);
      const records = await database.runtimeRecord.findMany({
        where: { gameId: { in: [...backlog.gameIds] } },
        select: { gameId: true, status: true, engineHealth: true },
      });
      return records.reduce((sum, { gameId, status, engineHealth }) => {
        const end = backlog.ends.get(gameId);
        const isRight = [{ status, health: engineHealth }, published.get(gameId)].every(
          (state) => state?.status === end?.status && state?.health === end?.health,
        );
        return isRight ? sum + (end?.events ?? 0) : sum;
      }, 0);
    },
  };
}
