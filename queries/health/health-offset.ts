import { offsetKey } from '../../shared/contracts/offset-key.ts';
import { compareStreamIds, firstStreamId } from '../../shared/contracts/stream-id.ts';
import type { Config } from '../../shared/platform/config/config.ts';
import type { Database } from '../../shared/platform/postgres/database.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';
import { findLease, findStoredOffset, type StoredOffset, setStoredOffset } from './health.ts';
import {
  countBehind,
  countForOffset,
  countLostUnnoticed,
  type Position,
  positionOf,
  readHealthStream,
} from './health-stream.ts';

/** Where to ask about health events. */
export interface HealthDeps {
  database: Database;
  redis: Redis;
  config: Config['health'];
}

/** How far the stream was read, according to both servers. */
export interface OffsetReport {
  mode: Config['health']['mode'];
  label: string;
  /** the id after which reading continues; not an entry id if the saved value is none */
  offset: string;
  savedIn: Position['savedIn'];
  /** null if unknown */
  entriesBehind: number | null;
  lostEntries: number;
  stored: StoredOffset | null;
  /** the original's offset, in Redis */
  original: { key: string; lastId: string | null };
  /** without ids and entries if it does not exist */
  stream: { name: string; entries: number; firstId: string | null; lastId: string | null; exists: boolean };
}

export async function readOffset({ database, redis, config }: HealthDeps): Promise<OffsetReport> {
  const { label, mode, service, stream: name } = config;
  // Before the stream, so that an entry read in between does not make the offset exceed it.
  const stored = await findStoredOffset(database, label);
  const { facts, originalOffset } = await readHealthStream(redis, config);
  const position = positionOf(mode, stored, originalOffset);
  return {
    mode,
    label,
    offset: position.lastId,
    savedIn: position.savedIn,
    entriesBehind: facts === null ? 0 : await countBehind(redis, name, facts, position),
    lostEntries: (stored?.gapEntries ?? 0) + countLostUnnoticed(facts, position),
    stored,
    original: { key: offsetKey(service, label), lastId: originalOffset },
    stream: {
      name,
      entries: facts?.length ?? 0,
      firstId: facts?.firstId ?? null,
      lastId: facts?.lastId ?? null,
      exists: facts !== null,
    },
  };
}

/** How a person has changed the offset. */
export interface OffsetChange {
  mode: Config['health']['mode'];
  label: string;
  before: string;
  after: string;
  /** null if Redis does not count entries */
  entriesRead: number | null;
}

/**
 * Sets the offset after which reading continues: an entry id, `earliest` for everything that exists, or `latest` for nothing
 * of it. In hardened mode the offset is in PostgreSQL, and a running reader is fenced off; in mirror mode it is the original's
 * key in Redis.
 *
 * @param options.force allows an id after the end of the stream and, in mirror mode, a change while somebody reads
 * @throws Error that says why it cannot be set, or not without force
 */
export async function changeOffset(
  { database, redis, config }: HealthDeps,
  given: string,
  { force }: { force: boolean },
): Promise<OffsetChange> {
  const { label, mode, service, stream } = config;
  const [stored, lease] = await Promise.all([findStoredOffset(database, label), findLease(database, label)]);
  const { facts, originalOffset } = await readHealthStream(redis, config);
  if (given === 'latest' && facts === null)
    throw new Error(`the stream ${stream} does not exist, so it has no last entry`);
  const end = facts?.lastId ?? firstStreamId;
  const lastId = given === 'earliest' ? firstStreamId : given === 'latest' ? end : given;
  if (compareStreamIds(lastId, end) > 0 && !force)
    throw new Error(
      facts === null
        ? `the stream ${stream} does not exist; --force sets the offset anyway`
        : `${lastId} is after the last entry of ${stream}, ${end}; --force sets the offset anyway`,
    );
  if (mode === 'mirror' && lease?.isHeld && !force)
    throw new Error(
      `${lease.holder} reads the stream and would overwrite this offset with its own: stop it first, or wait until its lease expires (${lease.expiresAt.toISOString()})`,
    );

  const before = positionOf(mode, stored, originalOffset).lastId;
  const entriesRead = await countForOffset(redis, stream, facts, lastId);
  if (mode === 'mirror') await redis.set(offsetKey(service, label), lastId);
  else await setStoredOffset(database, { label, lastId, entriesRead });
  return { mode, label, before, after: lastId, entriesRead };
}
