import { z } from 'zod';
import { cursorTime, readCursor, writeCursor } from '../shared/platform/cursor.ts';
import { type Database, Prisma } from '../shared/platform/postgres/database.ts';
import type { DeadLetterFilter, DeadLetterState, StoredDeadLetter } from './read.ts';

/** A dead letter without its payload. */
export interface DeadLetterSummary
  extends Omit<StoredDeadLetter, 'state' | 'recordKey' | 'contractVersion' | 'payload'> {
  state: DeadLetterState;
  payloadChars: number;
  /** false: it holds an unreadable chunk instead of a record, so it cannot be replayed */
  holdsRecord: boolean;
}

/** A page of a list. */
export interface DeadLetterPage {
  deadLetters: DeadLetterSummary[];
  /** for the next page; null on the last page */
  cursor: string | null;
}

const place = z.tuple([cursorTime, z.guid()]);

/**
 * Lists dead letters, last seen first. One that is seen again moves to the front, so a reader who is past the first pages may
 * miss it.
 *
 * @throws UsageError if the cursor is invalid
 */
export async function listDeadLetterSummaries(
  database: Database,
  options: { filter: DeadLetterFilter; limit: number; cursor?: string | null },
): Promise<DeadLetterPage> {
  const { limit } = options;
  const conditions = toConditions(options.filter);
  if (options.cursor != null) {
    const [lastSeen, id] = readCursor(options.cursor, { place, list: 'dead letters' });
    conditions.push(Prisma.sql`(last_seen, id) < (${lastSeen}, ${id}::uuid)`);
  }
  const found = await database.$queryRaw<DeadLetterSummary[]>(Prisma.sql`
    select id, queue, state, state_since as "stateSince", code, reason, signature, producer, job_id as "jobId",
      first_seen as "firstSeen", last_seen as "lastSeen", attempts, replays, length(payload) as "payloadChars",
      contract_version is not null as "holdsRecord"
    from sluice.dead_letter where ${Prisma.join(conditions, ' and ')}
    order by last_seen desc, id desc limit ${limit + 1}`);
  const deadLetters = found.slice(0, limit);
  const last = deadLetters.at(-1);
  return {
    deadLetters,
    cursor: last !== undefined && found.length > limit ? writeCursor([last.lastSeen, last.id]) : null,
  };
}

function toConditions({ ids, signature, queue, state }: DeadLetterFilter): Prisma.Sql[] {
  const conditions = [Prisma.sql`true`];
  if (ids !== undefined) conditions.push(Prisma.sql`id = any (${[...ids]}::uuid[])`);
  if (signature !== undefined) conditions.push(Prisma.sql`signature = ${signature}`);
  if (queue !== undefined) conditions.push(Prisma.sql`queue = ${queue}`);
  if (state !== undefined) conditions.push(Prisma.sql`state = ${state}`);
  return conditions;
}
