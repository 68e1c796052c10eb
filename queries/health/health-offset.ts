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

/** What questions about health events are asked of. */
export interface HealthDeps {
  database: Database;
  redis: Redis;
  config: Config['health'];
}

/** How far the stream was read, as both servers have it. */
export interface OffsetReport {
  mode: Config['health']['mode'];
  label: string;
  /** what reading goes on after; no entry id when what is saved is none */
  offset: string;
  savedIn: Position['savedIn'];
  /** null when that cannot be told */
  entriesBehind: number | null;
  lostEntries: number;
  stored: StoredOffset | null;
  /** of the original, in Redis */
  original: { key: string; lastId: string | null };
  /** without ids and entries when it is not there */
  stream: { name: string; entries: number; firstId: string | null; lastId: string | null; exists: boolean };
}

export async function readOffset({ database, redis, config }: HealthDeps): Promise<OffsetReport> {
  const { label, mode, service, stream: name } = config;
  // Before the stream, so that what is read meanwhile does not seem to be more than there is.
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

/** What a person has done to the offset. */
export interface OffsetChange {
  mode: Config['health']['mode'];
  label: string;
  before: string;
  after: string;
  /** null when Redis does not count entries */
  entriesRead: number | null;
}

/**
 * Sets what reading goes on after: an entry id, `earliest` for all that is there, `latest` for nothing of it. Hardened it is
 * in PostgreSQL, and whoever reads is fenced off; in mirror mode it is the original's key in Redis.
 *
 * @param options.force also after the end of the stream, and in mirror mode while somebody reads
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
  if (given === 'latest' && facts === null) throw new Error(`there is no stream ${stream}, so it has no last entry`);
  const end = facts?.lastId ?? firstStreamId;
  const lastId = given === 'earliest' ? firstStreamId : given === 'latest' ? end : given;
  if (compareStreamIds(lastId, end) > 0 && !force)
    throw new Error(
      facts === null
        ? `there is no stream ${stream}; with --force the offset is set all the same`
        : `${lastId} is after the last entry of ${stream}, ${end}; with --force it is set all the same`,
    );
  if (mode === 'mirror' && lease?.isHeld && !force)
    throw new Error(
      `${lease.holder} reads the stream and would save its own offset over this one: stop it first, or wait until its lease has run out (${lease.expiresAt.toISOString()})`,
    );

  const before = positionOf(mode, stored, originalOffset).lastId;
  const entriesRead = await countForOffset(redis, stream, facts, lastId);
  if (mode === 'mirror') await redis.set(offsetKey(service, label), lastId);
  else await setStoredOffset(database, { label, lastId, entriesRead });
  return { mode, label, before, after: lastId, entriesRead };
}
