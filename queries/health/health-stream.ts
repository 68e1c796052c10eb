import { offsetKey } from '../../shared/contracts/offset-key.ts';
import { compareStreamIds, firstStreamId, isStreamId, streamIdMs } from '../../shared/contracts/stream-id.ts';
import type { Config } from '../../shared/platform/config/config.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';
import {
  countEntriesThrough,
  readNextId,
  readStreamFacts,
  type StreamFacts,
} from '../../shared/platform/redis/stream-facts.ts';
import type { StoredOffset } from './health.ts';

type HealthConfig = Config['health'];

/** What Redis holds of the health events. */
export interface HealthStream {
  /** null: the stream does not exist */
  facts: StreamFacts | null;
  /** the value of the original's key, whatever it is; null if it does not exist */
  originalOffset: string | null;
}

/** The unread part of the stream. */
export interface Unread {
  /** null if nothing is unread */
  oldestId: string | null;
  /** ms since that entry was added, by Redis' clock; 0 if nothing is unread */
  oldestAgeMs: number;
}

/** Where a consumer is, or would start. */
export interface Position {
  /** not a stream id if the saved value is none */
  lastId: string;
  entriesRead: number | null;
  savedIn: 'postgres' | 'redis' | 'nowhere';
}

/** @throws ReplyError if one of the keys has another type */
export async function readHealthStream(redis: Redis, config: HealthConfig): Promise<HealthStream> {
  const [facts, originalOffset] = await Promise.all([
    readStreamFacts(redis, config.stream),
    redis.get(offsetKey(config.service, config.label)),
  ]);
  return { facts, originalOffset };
}

/** In hardened mode, Sluice's own offset takes precedence over the original's; mirror mode has only the original's. */
export function positionOf(
  mode: HealthConfig['mode'],
  stored: StoredOffset | null,
  originalOffset: string | null,
): Position {
  if (mode === 'hardened' && stored !== null)
    return { lastId: stored.lastId, entriesRead: stored.entriesRead, savedIn: 'postgres' };
  if (originalOffset !== null) return { lastId: originalOffset, entriesRead: null, savedIn: 'redis' };
  return { lastId: firstStreamId, entriesRead: null, savedIn: 'nowhere' };
}

/** @param lastId a stream id */
export async function readUnread(redis: Redis, stream: string, lastId: string): Promise<Unread> {
  const { id, serverMs } = await readNextId(redis, stream, lastId);
  return { oldestId: id, oldestAgeMs: id === null ? 0 : Math.max(0, serverMs - streamIdMs(id)) };
}

/** The number of unread entries that exist; null if Redis does not count entries. Reads no further than necessary. */
export async function countBehind(
  redis: Redis,
  stream: string,
  facts: StreamFacts,
  position: Position,
): Promise<number | null> {
  const { entriesAdded, length, lastId } = facts;
  if (!isStreamId(position.lastId) || entriesAdded === null) return null;
  if (compareStreamIds(position.lastId, lastId) >= 0) return 0;
  const passed = position.entriesRead ?? (await countEntriesThrough(redis, stream, facts, position.lastId)) ?? 0;
  return Math.max(0, entriesAdded - Math.max(passed, entriesAdded - length));
}

/** Entries that are gone, were not read, and have not been noticed as missing, because nobody has read since. */
export function countLostUnnoticed(facts: StreamFacts | null, { entriesRead }: Position): number {
  if (facts === null || facts.entriesAdded === null || entriesRead === null) return 0;
  return Math.max(0, facts.entriesAdded - facts.length - entriesRead);
}

/**
 * What to save with an offset that a person chooses. Entries that no longer exist count as read: going back behind them is
 * not a loss.
 */
export async function countForOffset(
  redis: Redis,
  stream: string,
  facts: StreamFacts | null,
  lastId: string,
): Promise<number | null> {
  if (facts === null) return lastId === firstStreamId ? 0 : null;
  const through = await countEntriesThrough(redis, stream, facts, lastId);
  if (through === null || facts.entriesAdded === null) return null;
  return Math.max(through, facts.entriesAdded - facts.length);
}
