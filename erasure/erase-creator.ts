import { eraseDeadLetterPage, isOf } from '../dead-letters/erase.ts';
import { type Database, Prisma } from '../shared/platform/postgres/database.ts';
import { eraseCreatorName } from './erase-names.ts';
import { noteCreatorErasure } from './note-erasure.ts';

/** The progress of an erasure. */
export interface Erasure {
  requests: number;
  deadLetters: number;
  /** false: it was interrupted and has to be called again */
  isDone: boolean;
}

/** Options of an erasure. */
export interface ErasureOptions {
  /** rows in one transaction; below 1, nothing is done */
  chunk: number;
  /** interrupts it between two transactions */
  signal?: AbortSignal;
  /** called after each transaction with what has been erased so far */
  onProgress?(erased: Omit<Erasure, 'isDone'>): void;
}

/**
 * Erases everything that a creator has requested until now. It first notes, as a hash of the creator's id, that none of it may be
 * stored any more. Then it deletes the creator's name, and rows, bodies and dead letters, a chunk at a time.
 *
 * It may be interrupted anywhere, even by SIGKILL, and called again: the note stays, and the rest is deleted then. Whether a
 * record is earlier is decided by its own arrival time; if its producer's clock is ahead of the database's, it may still be
 * stored while it is in the queue.
 *
 * @throws the database's error; 55P03 if a statement that stores requests takes too long: call it again
 */
export async function eraseCreator(
  database: Database,
  createdBy: string,
  { chunk, signal, onProgress }: ErasureOptions,
): Promise<Erasure> {
  const erased = { requests: 0, deadLetters: 0 };
  const rowsAtOnce = Math.floor(chunk);
  if (!(rowsAtOnce > 0)) return { ...erased, isDone: false };
  const erasedBefore = await noteCreatorErasure(database, createdBy);
  await eraseCreatorName(database, createdBy);
  const isBroken = (): boolean => signal?.aborted === true;

  // Until none is left: fewer rows than asked for may also mean that another erasure was faster.
  for (let rows = 1; rows > 0; ) {
    if (isBroken()) return { ...erased, isDone: false };
    rows = await eraseRequestRows(database, createdBy, { before: erasedBefore, limit: rowsAtOnce });
    erased.requests += rows;
    onProgress?.({ ...erased });
  }
  for (let after: string | null = null; ; ) {
    if (isBroken()) return { ...erased, isDone: false };
    const page = await eraseDeadLetterPage(database, {
      queue: 'completed-request',
      after,
      decide: ({ payload }) => (isOf(createdBy, payload) ? 'erased' : null),
    });
    erased.deadLetters += page.erased;
    onProgress?.({ ...erased });
    if (page.last === null) return { ...erased, isDone: true };
    after = page.last;
  }
}

/**
 * Erases rows and their bodies, including rows that arrived after the erasure by their own clock, but were stored before it by
 * the database's. Rows are locked in the order of their ids, as they are when they are stored, so that the two cannot
 * deadlock.
 */
export async function eraseRequestRows(
  database: Database,
  createdBy: string,
  { before, limit }: { before: Date; limit: number },
): Promise<number> {
  const rows = await database.$queryRaw<{ erased: number }[]>(Prisma.sql`
    with locked as materialized (
      select id, template_id from sluice.request
      where id in (
        select id from sluice.request where created_by = ${createdBy} and (created_at <= ${before} or coalesce(stored_at, updated_at) <= ${before})
        order by created_at desc, id desc limit ${limit})
      order by id
      for update
    ),
    erased as (delete from sluice.request using locked where request.id = locked.id returning request.template_id),
    bodies as (delete from sluice.request_template using erased where request_template.id = erased.template_id)
    select count(*)::int as erased from erased`);
  return rows[0]?.erased ?? 0;
}
