import type { Database } from '../shared/platform/postgres/database.ts';

/** A letter may hold two bodies of ten megabytes. */
const lettersPerPage = 10;

/** What is read of a letter to decide about it. */
export interface ReadLetter {
  queue: string;
  payload: string;
  code: string;
  reason: string;
  signature: string;
}

/** What becomes of a letter: it goes, or these fields of it are others, or nothing does. */
export type LetterChange = 'erased' | { payload?: string; reason?: string; signature?: string } | null;

/** What a page of letters came to. */
export interface ErasedLetters {
  erased: number;
  changed: number;
  /** the letter that it ended with; null when it was the last page */
  last: string | null;
}

/**
 * Erases the dead letters of one page, chunks that could not be read included. They are read here, not by the database:
 * PostgreSQL does not read JSON with a NUL in it, which is why many of them are dead.
 *
 * @param options.queue null: those of all
 * @param options.after the letter that the page before ended with; null for the first page
 */
export async function eraseLetterPage(
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
    decide(letter: ReadLetter): LetterChange;
  },
): Promise<ErasedLetters> {
  const letters = await database.deadLetter.findMany({
    where: { ...(queue === null ? {} : { queue }), ...(after === null ? {} : { id: { gt: after } }) },
    orderBy: { id: 'asc' },
    take: lettersPerPage,
    select: { id: true, queue: true, payload: true, code: true, reason: true, signature: true },
  });
  const decided = letters.map((letter) => ({ id: letter.id, change: decide(letter) }));
  const theirs = decided.flatMap(({ id, change }) => (change === 'erased' ? [id] : []));
  const others = decided.flatMap(({ id, change }) => (change === null || change === 'erased' ? [] : [{ id, change }]));
  const last = letters.length < lettersPerPage ? null : (letters.at(-1)?.id ?? null);
  if (dryRun) return { erased: theirs.length, changed: others.length, last };
  const { count } =
    theirs.length === 0 ? { count: 0 } : await database.deadLetter.deleteMany({ where: { id: { in: theirs } } });
  for (const { id, change } of others) await database.deadLetter.updateMany({ where: { id }, data: change });
  return { erased: count, changed: others.length, last };
}

/** Whether a letter's text is a record of the creator, or a chunk with one. What is not even JSON is theirs if it names them. */
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
