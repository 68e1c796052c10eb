import type { ErasureSubject } from '../shared/contracts/erasure-subject.ts';
import { type Database, Prisma } from '../shared/platform/postgres/database.ts';
import { classifyDatabaseError, lockNotAvailable } from '../shared/platform/postgres/database-errors.ts';
import { retry } from '../shared/platform/retry.ts';
import { type Transaction, withoutStoring } from './request-erasure-lock.ts';

/** Rounded up to the milliseconds that rows have. By the database's clock, inside the lock: what was stored before is earlier. */
const untilNow = Prisma.sql`date_trunc('milliseconds', clock_timestamp()) + interval '1 ms'`;

/** Executions must not wait for long: their statements give up on a lock after a second. */
const patience = { tries: 20, lockTimeoutMs: 500, pauseMs: 500 };

/**
 * Notes that what a creator has requested until now may not be stored any more.
 *
 * @returns the time until which everything is erased, by the database's clock
 */
export function noteCreatorErasure(database: Database, createdBy: string): Promise<Date> {
  return withoutStoring(database, (transaction) => noteCreator(transaction, createdBy));
}

/**
 * The same for executions of a user or a realm, and for requests of a user. It waits half a second at a time for statements in
 * progress.
 *
 * @throws the database's error; 55P03 if such statements were in progress at each of twenty tries
 */
export async function noteSubjectErasure(database: Database, subject: ErasureSubject): Promise<Date> {
  const note = (): Promise<Date> =>
    withoutStoring(
      database,
      async (transaction) => {
        if (subject.kind === 'user') await noteCreator(transaction, subject.id);
        return noteSubject(transaction, subject);
      },
      { tables: ['request_tombstone', 'subject_erasure'], lockTimeoutMs: patience.lockTimeoutMs },
    );
  return retry(note, {
    delayMs(error, attempt) {
      const mayTry = classifyDatabaseError(error).code === lockNotAvailable && attempt + 1 < patience.tries;
      return mayTry ? patience.pauseMs : null;
    },
  });
}

async function noteCreator(transaction: Transaction, createdBy: string): Promise<Date> {
  return theTime(
    await transaction.$queryRaw<Noted[]>(Prisma.sql`
      insert into sluice.creator_erasure (creator_hash, erased_before)
      values (sha256(convert_to(${createdBy}, 'UTF8')), ${untilNow})
      on conflict (creator_hash) do update set erased_before = greatest(creator_erasure.erased_before, excluded.erased_before)
      returning erased_before as "erasedBefore"`),
  );
}

async function noteSubject(transaction: Transaction, { kind, id }: ErasureSubject): Promise<Date> {
  return theTime(
    await transaction.$queryRaw<Noted[]>(Prisma.sql`
      insert into sluice.subject_erasure (kind, subject_hash, erased_before)
      values (${kind}, sha256(convert_to(${id}, 'UTF8')), ${untilNow})
      on conflict (kind, subject_hash) do update set erased_before = greatest(subject_erasure.erased_before, excluded.erased_before)
      returning erased_before as "erasedBefore"`),
  );
}

interface Noted {
  erasedBefore: Date;
}

function theTime([row]: readonly Noted[]): Date {
  if (row === undefined) throw new Error('the erasure was not noted');
  return row.erasedBefore;
}
