import {
  findLease,
  findStoredOffset,
  type Lease,
  type OutboxDepth,
  readOutboxDepth,
  readStuckRecords,
  type StoredOffset,
  type StuckRecords,
} from '../../queries/health/health.ts';
import {
  type HealthStream,
  type Position,
  positionOf,
  readHealthStream,
  readUnread,
  type Unread,
} from '../../queries/health/health-stream.ts';
import { findRival, type LobbyRival, publishedThrough, readLobbyPlace } from '../../queries/health/lobby-rival.ts';
import { isStreamId } from '../../shared/contracts/stream-id.ts';
import type { Config } from '../../shared/platform/config/config.ts';
import type { Database } from '../../shared/platform/postgres/database.ts';
import type { Answer } from '../answer.ts';
import type { PostgresConnection } from '../postgres/postgres-facts.ts';
import type { RedisConnection } from '../redis/redis-facts.ts';
import { ifThere } from '../tables/tables-facts.ts';

/** The state of the consumer of health events, in PostgreSQL and in Redis. */
export interface HealthFacts {
  /** null: the consumer never ran in hardened mode */
  offset: StoredOffset | null;
  lease: Lease | null;
  position: Position;
  stream: HealthStream;
  /** null: the stream does not exist, or the position is not an entry id */
  unread: Unread | null;
  outbox: OutboxDepth;
  lobbyRival: LobbyRival | null;
  stuck: StuckRecords;
}

/**
 * Reads both servers, one question after the other: what counts as unread depends on the saved offset.
 *
 * @returns null if the tables do not exist
 */
export async function readHealthFacts(
  { database, ask: askPostgres }: PostgresConnection,
  { redis, ask: askRedis }: RedisConnection,
  config: Config['health'],
): Promise<Answer<HealthFacts | null>> {
  // Before the stream: an offset saved in between can only make the consumer look further behind than it is.
  const [tables, stream, lobby] = await Promise.all([
    askPostgres(() => ifThere(database, 'lobby_outbox', () => readTables(database, config.label))),
    askRedis(() => readHealthStream(redis, config)),
    askRedis(() => readLobbyPlace(redis, config.lobbyStream)),
  ]);
  if (!tables.known) return tables;
  if (!stream.known) return stream;
  if (!lobby.known) return lobby;
  if (tables.value === null) return { known: true, value: null };
  const { offset, lease, stuck } = tables.value;
  const position = positionOf(config.mode, offset, stream.value.originalOffset);
  const { facts } = stream.value;
  const epoch = lease?.epoch ?? null;
  const published = publishedThrough(lobby.value, epoch);
  const [unread, outbox] = await Promise.all([
    askRedis(async () =>
      facts !== null && isStreamId(position.lastId) ? readUnread(redis, config.stream, position.lastId) : null,
    ),
    askPostgres(() => readOutboxDepth(database, config.label, published)),
  ]);
  if (!unread.known) return unread;
  if (!outbox.known) return outbox;
  return {
    known: true,
    value: {
      ...{ offset, lease, position, stuck },
      stream: stream.value,
      unread: unread.value,
      outbox: outbox.value,
      lobbyRival: findRival(lobby.value, epoch),
    },
  };
}

async function readTables(database: Database, label: string) {
  const [offset, lease, stuck] = await Promise.all([
    findStoredOffset(database, label),
    findLease(database, label),
    readStuckRecords(database),
  ]);
  return { offset, lease, stuck };
}
