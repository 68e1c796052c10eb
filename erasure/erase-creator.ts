import { eraseDeadLetterPage, isOf } from '../dead-letters/erase.ts';
import { type Database, Prisma } from '../shared/platform/postgres/database.ts';
import { noteCreatorErasure } from './note-erasure.ts';

/** How far an erasure has come. */
export interface Erasure {
  requests: number;
  deadLetters: number;
  /** false: it was broken off, and is to be called again */
  isDone: boolean;
}

/** How an erasure goes on. */
export interface ErasureOptions {
  /** rows in one transaction; nothing at all is done when it is below 1 */
  chunk: number;
  /** breaks it off between two transactions */
  signal?: AbortSignal;
  /** told after each transaction what is erased so far */
  onProgress?(erased: Omit<Erasure, 'isDone'>): void;
}

/**
 * Erases all that a creator has requested until now: first it is noted, as a hash of the creator's id, that none of it is
 * to be stored any more, then rows, bodies and dead letters go, a chunk at a time.
 *
 * It may be broken off anywhere, by a SIGKILL too, and called again: what is noted stays, and what is left goes. A record
 * counts as earlier by its own time of arrival; one whose producer's clock is ahead of the database's may be stored after
 * all while it is still in the queue.
 *
 * @throws what the database says, 55P03 when a statement that stores requests takes too long: call it again
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
  const isBroken = (): boolean => signal?.aborted === true;

  // Until none is left: fewer than asked for may also mean that another erasure was faster.
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
 * Erases rows and their bodies. What arrived after the erasure by its own clock, but was stored before it by the database's,
 * goes too. Rows are locked in the order of their ids, as they are where they are stored, so neither waits for the other in
 * a ring.
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
