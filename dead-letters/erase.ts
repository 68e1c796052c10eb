import type { Database } from '../shared/platform/postgres/database.ts';
import type { DeadLetter } from './dead-letter.ts';

/** A dead letter may hold two bodies of ten megabytes. */
const deadLettersPerPage = 10;

/** What is read of a dead letter to decide about it. */
export type ReadDeadLetter = Pick<DeadLetter, 'queue' | 'payload' | 'code' | 'reason' | 'signature'>;

/** What happens to a dead letter: it is deleted, gets new values in these fields, or stays unchanged. */
export type DeadLetterChange = 'erased' | { payload?: string; reason?: string; signature?: string } | null;

/** The result for a page of dead letters. */
export interface ErasedDeadLetters {
  erased: number;
  changed: number;
  /** the last dead letter of the page; null on the last page */
  last: string | null;
}

/**
 * Erases the dead letters of one page, including unreadable chunks. They are read here, not by the database: PostgreSQL cannot
 * read JSON with a NUL in it, which is why many of them are dead.
 *
 * @param options.queue null: all queues
 * @param options.after the last dead letter of the previous page; null for the first page
 */
export async function eraseDeadLetterPage(
  database: Database,
  {
    queue,
    after,
    dryRun = false,
    decide,
  }: {
    queue: string | null;
    after: string | null;
    dryRun?: boolean;
    decide(deadLetter: ReadDeadLetter): DeadLetterChange;
  },
): Promise<ErasedDeadLetters> {
  const deadLetters = await database.deadLetter.findMany({
    where: { ...(queue === null ? {} : { queue }), ...(after === null ? {} : { id: { gt: after } }) },
    orderBy: { id: 'asc' },
    take: deadLettersPerPage,
    select: { id: true, queue: true, payload: true, code: true, reason: true, signature: true },
  });
  const decided = deadLetters.map((deadLetter) => ({ id: deadLetter.id, change: decide(deadLetter) }));
  const theirs = decided.flatMap(({ id, change }) => (change === 'erased' ? [id] : []));
  const others = decided.flatMap(({ id, change }) => (change === null || change === 'erased' ? [] : [{ id, change }]));
  const last = deadLetters.length < deadLettersPerPage ? null : (deadLetters.at(-1)?.id ?? null);
  if (dryRun) return { erased: theirs.length, changed: others.length, last };
  const { count } =
    theirs.length === 0 ? { count: 0 } : await database.deadLetter.deleteMany({ where: { id: { in: theirs } } });
  for (const { id, change } of others) await database.deadLetter.updateMany({ where: { id }, data: change });
  return { erased: count, changed: others.length, last };
}

/** Whether a dead letter's text is the creator's record, or a chunk with one. Text that is not JSON is theirs if it names them. */
export function isOf(createdBy: string, payload: string): boolean {
  let parsed: unknown;
  try {
    parsed = JSON.parse(payload);
  } catch {
    return payload.includes(createdBy);
  }
  const { records } = (parsed ?? {}) as { records?: unknown };
  return [parsed, ...(Array.isArray(records) ? records : [])].some(
    (record) =>
      typeof record === 'object' && record !== null && (record as { createdBy?: unknown }).createdBy === createdBy,
  );
}
