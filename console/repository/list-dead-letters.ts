import { z } from 'zod';
import { type Database, Prisma } from '../../shared/database.ts';
import { UsageError } from '../../shared/errors.ts';
import type { DeadLetterFilter, DeadLetterState } from './dead-letters.ts';

/** A letter without its payload. */
export interface DeadLetterSummary {
  id: string;
  queue: string;
  state: DeadLetterState;
  stateSince: Date;
  code: string;
  reason: string;
  signature: string;
  producer: string | null;
  jobId: string | null;
  firstSeen: Date;
  lastSeen: Date;
  attempts: number;
  replays: number;
  payloadChars: number;
  /** false: it has no record in it but a chunk that could not be read, so it cannot be replayed */
  holdsRecord: boolean;
}

/** A page of a list. */
export interface DeadLetterPage {
  letters: DeadLetterSummary[];
  /** for the next page; null when this is the last */
  cursor: string | null;
}

const version = 1;
const cursorSchema = z.tuple([z.literal(version), z.iso.datetime(), z.guid()]);

/**
 * Lists letters, those that were seen last first. One that is found dead again moves to the front, so it may be missed by who
 * has read the first pages already.
 *
 * @throws UsageError when the cursor is none
 */
export async function listDeadLetterSummaries(
  database: Database,
  options: { filter: DeadLetterFilter; limit: number; cursor?: string | null },
): Promise<DeadLetterPage> {
  const { limit } = options;
  const conditions = toConditions(options.filter);
  if (options.cursor != null) {
    const { lastSeen, id } = parseCursor(options.cursor);
    conditions.push(Prisma.sql`(last_seen, id) < (${lastSeen}, ${id}::uuid)`);
  }
  const found = await database.$queryRaw<DeadLetterSummary[]>(Prisma.sql`
    select id, queue, state, state_since as "stateSince", code, reason, signature, producer, job_id as "jobId",
      first_seen as "firstSeen", last_seen as "lastSeen", attempts, replays, length(payload) as "payloadChars",
      contract_version is not null as "holdsRecord"
    from dead_letter where ${Prisma.join(conditions, ' and ')}
    order by last_seen desc, id desc limit ${limit + 1}`);
  const letters = found.slice(0, limit);
  const last = letters.at(-1);
  return { letters, cursor: last !== undefined && found.length > limit ? toCursor(last) : null };
}

function toConditions({ ids, signature, queue, state }: DeadLetterFilter): Prisma.Sql[] {
  const conditions = [Prisma.sql`true`];
  if (ids !== undefined) conditions.push(Prisma.sql`id = any (${[...ids]}::uuid[])`);
  if (signature !== undefined) conditions.push(Prisma.sql`signature = ${signature}`);
  if (queue !== undefined) conditions.push(Prisma.sql`queue = ${queue}`);
  if (state !== undefined) conditions.push(Prisma.sql`state = ${state}`);
  return conditions;
}

function toCursor({ lastSeen, id }: Pick<DeadLetterSummary, 'lastSeen' | 'id'>): string {
  return Buffer.from(JSON.stringify([version, lastSeen.toISOString(), id])).toString('base64url');
}

function parseCursor(text: string): { lastSeen: Date; id: string } {
  const parsed = cursorSchema.safeParse(jsonIn(text));
  if (!parsed.success) {
    throw new UsageError(
      `cursor ${JSON.stringify(text.slice(0, 200))} is not one that a list of dead letters has returned`,
    );
  }
  const [, lastSeen, id] = parsed.data;
  return { lastSeen: new Date(lastSeen), id };
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    return null;
  }
}
