import { countDeadLetters } from '../../dead-letters/read.ts';
import type { RuntimeStatus } from '../../shared/contracts/runtime-status.ts';
import { isStreamId } from '../../shared/contracts/stream-id.ts';
import type { Config } from '../../shared/platform/config/config.ts';
import type { StreamFacts } from '../../shared/platform/redis/stream-facts.ts';
import {
  countGames,
  findLease,
  findStoredOffset,
  type Lease,
  type OutboxDepth,
  readOutboxDepth,
  readStuckRecords,
  type StoredOffset,
  type StuckRecords,
} from './health.ts';
import type { HealthDeps } from './health-offset.ts';
import {
  countBehind,
  countLostUnnoticed,
  type Position,
  positionOf,
  readHealthStream,
  readUnread,
} from './health-stream.ts';
import { findRival, type LobbyRival, publishedThrough, readLobbyPlace } from './lobby-rival.ts';

/** The state of the consumer of health events, and of its games. */
export interface HealthStatus {
  mode: Config['health']['mode'];
  label: string;
  stream: string;
  /** null if nobody has ever held it */
  lease: Lease | null;
  /**
   * what is unread: the number of entries, null if Redis does not count them, and the age of the oldest in ms; null if the
   * offset is not an entry id
   */
  lag: { entries: number | null; ms: number } | null;
  games: Record<RuntimeStatus, number>;
  stuck: StuckRecords;
  outbox: OutboxDepth;
  /** another consumer that uses the same lobby stream; null if there is none */
  lobbyRival: LobbyRival | null;
  /** entries that were removed before they were read: the total, and when and where the last ones were noticed */
  gap: { entries: number; noticedAt: Date | null; afterId: string | null; beforeId: string | null };
  /** open dead letters of the stream */
  deadLetters: number;
}

export async function readHealthStatus(deps: HealthDeps): Promise<HealthStatus> {
  const { database, redis, config } = deps;
  const { label, mode, stream } = config;
  const [stored, lease, games, stuck, deadLetters] = await Promise.all([
    findStoredOffset(database, label),
    findLease(database, label),
    countGames(database),
    readStuckRecords(database),
    countDeadLetters(database, { queue: stream, state: 'open' }),
  ]);
  const epoch = lease?.epoch ?? null;
  const [seen, lobby] = await Promise.all([readHealthStream(redis, config), readLobbyPlace(redis, config.lobbyStream)]);
  const position = positionOf(mode, stored, seen.originalOffset);
  const [lag, outbox] = await Promise.all([
    readLag(deps, seen.facts, position),
    readOutboxDepth(database, label, publishedThrough(lobby, epoch)),
  ]);
  const gap = toGap(stored, countLostUnnoticed(seen.facts, position));
  return {
    mode,
    label,
    stream,
    lease,
    lag,
    games,
    stuck,
    outbox,
    lobbyRival: findRival(lobby, epoch),
    gap,
    deadLetters,
  };
}

async function readLag({ redis, config }: HealthDeps, facts: StreamFacts | null, position: Position) {
  if (!isStreamId(position.lastId)) return null;
  if (facts === null) return { entries: 0, ms: 0 };
  const [entries, { oldestAgeMs }] = await Promise.all([
    countBehind(redis, config.stream, facts, position),
    readUnread(redis, config.stream, position.lastId),
  ]);
  return { entries, ms: oldestAgeMs };
}

function toGap(stored: StoredOffset | null, unnoticed: number): HealthStatus['gap'] {
  return {
    entries: (stored?.gapEntries ?? 0) + unnoticed,
    noticedAt: stored?.gapAt ?? null,
    afterId: stored?.gapAfterId ?? null,
    beforeId: stored?.gapBeforeId ?? null,
  };
}
