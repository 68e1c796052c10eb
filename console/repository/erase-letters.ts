import type { Database } from '../../shared/database.ts';

/** A letter may hold two bodies of ten megabytes. */
const lettersPerPage = 10;

/**
 * Erases the dead letters of one page that hold requests of a creator, chunks that could not be read included. They are
 * read here, not by the database: PostgreSQL does not read JSON with a NUL in it, which is why many of them are dead.
 *
 * @param after the letter that the page before ended with; null for the first page
 * @returns how many it erased, and the letter that it ended with, null when it was the last page
 */
export async function eraseLetterPage(
  database: Database,
  createdBy: string,
  after: string | null,
): Promise<{ erased: number; last: string | null }> {
  const letters = await database.deadLetter.findMany({
    where: { queue: 'completed-request', ...(after === null ? {} : { id: { gt: after } }) },
    orderBy: { id: 'asc' },
    take: lettersPerPage,
    select: { id: true, payload: true },
  });
  const theirs = letters.filter(({ payload }) => isOf(createdBy, payload)).map(({ id }) => id);
  const { count } =
    theirs.length === 0 ? { count: 0 } : await database.deadLetter.deleteMany({ where: { id: { in: theirs } } });
  return { erased: count, last: letters.length < lettersPerPage ? null : (letters.at(-1)?.id ?? null) };
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
