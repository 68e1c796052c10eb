import { omitUndefined } from '../shared/platform/omit-undefined.ts';
import { type Database, Prisma } from '../shared/platform/postgres/database.ts';
import { readDatabaseClock } from '../shared/platform/postgres/database-clock.ts';
import type { SizedDeadLetter } from './steps.ts';

/**
 * The state of a dead letter: open, put back into its queue, stored by a worker after that, or discarded by a person.
 */
export const deadLetterStates = ['open', 'replayed', 'stored', 'discarded'] as const;
export type DeadLetterState = (typeof deadLetterStates)[number];

/** Dead letters that may be put back: one that was replayed but not confirmed may have been lost with its queue. */
export const replayableStates = ['open', 'replayed'] as const satisfies DeadLetterState[];
export type ReplayFilter = DeadLetterFilter & { state: (typeof replayableStates)[number] };

/** Which dead letters to select; a field that is left out does not restrict them. */
export interface DeadLetterFilter {
  ids?: readonly string[];
  signature?: string;
  queue?: string;
  state?: DeadLetterState;
}

/** Dead letters of one cause. */
export interface DeadLetterGroup {
  queue: string;
  code: string;
  signature: string;
  state: DeadLetterState;
  deadLetters: number;
  firstSeen: Date;
  lastSeen: Date;
  /** the dead letter that was seen last */
  exampleId: string;
  exampleReason: string;
}

/** Dead letters by queue, cause and state, most numerous first. */
export function groupDeadLetters(
  database: Database,
  filter: DeadLetterFilter,
  limit: number,
): Promise<DeadLetterGroup[]> {
  return database.$queryRaw<DeadLetterGroup[]>(Prisma.sql`
    select queue, code, signature, state, count(*)::int as "deadLetters", min(first_seen) as "firstSeen", max(last_seen) as "lastSeen",
      (array_agg(id order by last_seen desc))[1]::text as "exampleId", (array_agg(reason order by last_seen desc))[1] as "exampleReason"
    from sluice.dead_letter
    where (${filter.queue ?? null}::text is null or queue = ${filter.queue ?? null})
      and (${filter.state ?? null}::text is null or state = ${filter.state ?? null})
      and (${filter.signature ?? null}::text is null or signature = ${filter.signature ?? null})
    group by queue, code, signature, state
    order by "deadLetters" desc, signature
    limit ${limit}`);
}

/** A dead letter with its payload; null if there is none. */
export function findDeadLetter(database: Database, id: string) {
  return database.deadLetter.findUnique({ where: { id } });
}

/** The next dead letters to work on, those that have waited longest first. */
export function listDeadLetters(database: Database, filter: DeadLetterFilter, limit: number) {
  return database.deadLetter.findMany({
    where: toWhere(filter),
    orderBy: [{ firstSeen: 'asc' }, { id: 'asc' }],
    take: limit,
  });
}

export type StoredDeadLetter = Awaited<ReturnType<typeof listDeadLetters>>[number];

export function countDeadLetters(database: Database, filter: DeadLetterFilter): Promise<number> {
  return database.deadLetter.count({ where: toWhere(filter) });
}

/** The ids of dead letters, those that have waited longest first, and whether each holds a record that can be replayed. */
export async function listReplayableIds(database: Database, filter: ReplayFilter, limit: number) {
  const deadLetters = await database.deadLetter.findMany({
    where: toWhere(filter),
    orderBy: [{ firstSeen: 'asc' }, { id: 'asc' }],
    take: limit,
    select: { id: true, contractVersion: true },
  });
  return deadLetters.map(({ id, contractVersion }) => ({ id, holdsRecord: contractVersion !== null }));
}

/** The size of these dead letters' payloads in bytes, in the order of the ids; dead letters that no longer exist are left out. */
export async function readPayloadSizes(database: Database, ids: readonly string[]): Promise<SizedDeadLetter[]> {
  return database.$queryRaw<SizedDeadLetter[]>(Prisma.sql`
    select dead_letter.id, octet_length(payload) as "payloadBytes"
    from unnest(${[...ids]}::uuid[]) with ordinality as wanted (id, place) join sluice.dead_letter using (id)
    order by place`);
}

/**
 * Notes that dead letters were put back into the queue. A worker may have been faster: one that is stored stays stored, and one
 * whose record failed again stays open, because it was seen once more than when it was put back.
 */
export async function markReplayed(database: Database, deadLetters: readonly StoredDeadLetter[]): Promise<void> {
  await database.$executeRaw(Prisma.sql`
    update sluice.dead_letter set replays = dead_letter.replays + 1,
      state = case when dead_letter.attempts = seen.attempts and state in ('open', 'replayed') then 'replayed' else state end,
      state_since = case when dead_letter.attempts = seen.attempts and state in ('open', 'replayed') then now() else state_since end
    from unnest(${deadLetters.map(({ id }) => id)}::uuid[], ${deadLetters.map(({ replays }) => replays)}::int[], ${deadLetters.map(({ attempts }) => attempts)}::int[]) as seen (id, replays, attempts)
    where dead_letter.id = seen.id and dead_letter.replays = seen.replays`);
}

/**
 * Changes nothing, but throws what noting a replay would throw: that the user lacks the right, or the server is read-only. Called
 * before a dead letter is put back, because afterwards is too late.
 */
export async function assertMayMark(database: Database): Promise<void> {
  await database.$executeRaw`update sluice.dead_letter set replays = replays, state = state, state_since = state_since where false`;
}

/** Discards open dead letters for good; they stay visible. @returns how many there were */
export async function discardDeadLetters(database: Database, filter: DeadLetterFilter): Promise<number> {
  // By the clock that later says how long ago that was.
  const stateSince = new Date(await readDatabaseClock(database));
  const { count } = await database.deadLetter.updateMany({
    where: toWhere({ ...filter, state: 'open' }),
    data: { state: 'discarded', stateSince },
  });
  return count;
}

function toWhere({ ids, signature, queue, state }: DeadLetterFilter): Prisma.DeadLetterWhereInput {
  return omitUndefined({ id: ids && { in: [...ids] }, signature, queue, state });
}
