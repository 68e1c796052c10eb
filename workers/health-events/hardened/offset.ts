import { offsetKey } from '../../../shared/contracts/offset-key.ts';
import { compareStreamIds, firstStreamId, isStreamId } from '../../../shared/contracts/stream-id.ts';
import { UsageError } from '../../../shared/platform/errors.ts';
import type { Database } from '../../../shared/platform/postgres/database.ts';
import type { Redis } from '../../../shared/platform/redis/redis.ts';
import { countEntriesThrough, readStreamFacts } from '../../../shared/platform/redis/stream-facts.ts';
import type { Repeat } from '../../../shared/platform/retry.ts';
import type { Lease } from '../lease.ts';
import type { Position } from './stream-entry.ts';

/** What is done about an offset that no entry can follow. */
export type BadOffsetPolicy = 'fail' | 'earliest' | 'latest';

/** Where reading begins, and why there. */
export interface Beginning {
  position: Position;
  /** `stored`: where it ended; `adopted`: where the original ended; `first`: there was no offset; else the policy's choice */
  from: 'stored' | 'adopted' | 'first' | BadOffsetPolicy;
}

interface OffsetDeps {
  database: Database;
  redis: Redis;
  lease: Lease;
  stream: string;
  service: string;
  badOffset: BadOffsetPolicy;
  onDatabase: Repeat;
  onRedis: Repeat;
  onBadOffset(problem: string, policy: BadOffsetPolicy): void;
}

/**
 * The place to begin at: the one that is stored; else that of the original, which is taken over; else the beginning of the
 * stream. The first time it is stored.
 *
 * @throws UsageError when the place is none that an entry can follow and the policy is to fail
 */
export async function findBeginning(deps: OffsetDeps): Promise<Beginning> {
  const { database, redis, lease, stream, service, onDatabase, onRedis } = deps;
  const stored = await onDatabase(() => database.streamOffset.findUnique({ where: { label: lease.label } }));
  if (stored !== null) {
    // The worker wrote it. When the stream has changed under it, the worker will notice, and knows what to do.
    const entriesRead = stored.entriesRead === null ? null : Number(stored.entriesRead);
    return { position: { lastId: stored.lastId, entriesRead }, from: 'stored' };
  }
  const key = offsetKey(service, lease.label);
  const [found, facts] = await onRedis(() => Promise.all([redis.get(key), readStreamFacts(redis, stream)]));
  const end = facts?.lastId ?? firstStreamId;
  const problem = found === null ? null : whyUnusable(found, end);
  if (problem !== null) deps.onBadOffset(problem, deps.badOffset);
  if (problem !== null && deps.badOffset === 'fail')
    throw new UsageError(
      `the offset in the Redis key ${key} ${problem}. Set the offset (sluice health offset set ID), or set SLUICE_HEALTH_BAD_OFFSET to earliest (read the whole stream again, which applies nothing twice) or latest (skip the entries that are there)`,
    );
  const chosen = { earliest: firstStreamId, latest: end, fail: firstStreamId }[deps.badOffset];
  const lastId = problem === null ? (found ?? firstStreamId) : chosen;
  const entriesRead = facts === null ? 0 : await onRedis(() => countEntriesThrough(redis, stream, facts, lastId));
  const position = { lastId, entriesRead };
  await onDatabase(() => storeBeginning(database, lease, position));
  return { position, from: problem !== null ? deps.badOffset : found === null ? 'first' : 'adopted' };
}

/** Why no entry can follow an offset; null when one can. */
export function whyUnusable(offset: string, streamEnd: string): string | null {
  if (!isStreamId(offset))
    return `is ${JSON.stringify(offset.slice(0, 64))}, which is not an entry id such as 1700000000000-0`;
  if (compareStreamIds(offset, streamEnd) > 0)
    return `is ${offset}, which is after the last entry of the stream (${streamEnd}): the stream was recreated, or the offset belongs to another stream`;
  return null;
}

async function storeBeginning(database: Database, { label, token }: Lease, { lastId, entriesRead }: Position) {
  await database.$executeRaw`
    insert into sluice.stream_offset (label, last_id, entries_read, fencing_token)
    select label, ${lastId}, ${entriesRead}::bigint, token from sluice.stream_lease
    where label = ${label} and token = ${token}
    for share
    on conflict (label) do nothing`;
}

/**
 * Begins with a stream that is not the one that was read: at its beginning. Entry ids of the old one say nothing about the
 * new one, so all games forget theirs; the times of their events keep what is delivered again from changing anything.
 */
export async function beginAnew(database: Database, { label, token }: Lease): Promise<void> {
  await database.$executeRaw`
    with lease as materialized (
      select from sluice.stream_lease where label = ${label} and token = ${token} for share
    ),
    forgotten as (
      update sluice.health_event_watermark set last_id = ${firstStreamId} where exists (select from lease)
    )
    update sluice.stream_offset set last_id = ${firstStreamId}, entries_read = 0, fencing_token = ${token},
      updated_at = clock_timestamp()
    where label = ${label} and exists (select from lease)`;
}
