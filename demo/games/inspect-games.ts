import { fieldOf } from '../../shared/contracts/health-event.ts';
import { offsetKey } from '../../shared/contracts/offset-key.ts';
import { firstStreamId } from '../../shared/contracts/stream-id.ts';
import type { Config } from '../../shared/platform/config/config.ts';
import type { Database } from '../../shared/platform/postgres/database.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';
import type { FoundState, GamesFound } from './reconcile-games.ts';
import type { GameNames } from './stream-fields.ts';

const snapshotsPerRead = 1_000;

/** Asks the database and the lobby's stream about the games of one run of the demo. */
export function createGameInspector(options: {
  database: Database;
  redis: Redis;
  health: Config['health'];
  names: GameNames;
}) {
  const { database, redis, health, names } = options;
  const snapshots = new Map<string, FoundState>();
  let snapshotCount = 0;
  let lobbyId: string | null = null;

  /** The end of the lobby's stream: entries from before a run do not belong to it. */
  const findLobbyEnd = async (): Promise<string> =>
    (await redis.xrevrange(health.lobbyStream, '+', '-', 'COUNT', 1))[0]?.[0] ?? firstStreamId;

  const readSnapshots = async (): Promise<void> => {
    for (;;) {
      const entries = await redis.xrange(
        health.lobbyStream,
        `(${lobbyId ?? firstStreamId}`,
        '+',
        'COUNT',
        snapshotsPerRead,
      );
      for (const [id, fields] of entries) {
        lobbyId = id;
        const gameId = fieldOf(fields, 'game_id') ?? '';
        if (!gameId.startsWith(names.prefix)) continue;
        const status = fieldOf(fields, 'runtime_status') ?? '';
        snapshots.set(gameId, { status, health: fieldOf(fields, 'engine_health_summary') ?? '' });
        snapshotCount += 1;
      }
      if (entries.length < snapshotsPerRead) return;
    }
  };

  const readRecords = async (): Promise<Map<string, FoundState>> => {
    const records = await database.runtimeRecord.findMany({
      where: { gameId: { startsWith: names.prefix } },
      select: { gameId: true, status: true, engineHealth: true },
    });
    return new Map(records.map(({ gameId, status, engineHealth }) => [gameId, { status, health: engineHealth }]));
  };

  const readDeadLetters = async (): Promise<string[]> => {
    const where = { queue: health.stream, payload: { contains: names.prefix } };
    return (await database.deadLetter.findMany({ where, select: { payload: true } })).map(({ payload }) => payload);
  };

  return {
    /** To be called before anything is written. */
    async open(): Promise<void> {
      lobbyId = await findLobbyEnd();
    },
    /** The last entry of the stream up to which everything has been applied; null before the first one. */
    async readOffset(): Promise<string | null> {
      if (health.mode === 'mirror') return redis.get(offsetKey(health.service, health.label));
      const offset = await database.streamOffset.findUnique({ where: { label: health.label } });
      return offset?.lastId ?? null;
    },
    async inspect(): Promise<GamesFound> {
      const [records, deadLetters] = await Promise.all([readRecords(), readDeadLetters(), readSnapshots()]);
      return { records, deadLetters, snapshots, snapshotCount };
    },
  };
}
