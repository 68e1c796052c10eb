import { deadLetterKeysOf } from '../shared/contracts/dead-letter-key.ts';
import { type Database, Prisma } from '../shared/platform/postgres/database.ts';
import { withoutStoring } from './request-erasure-lock.ts';

/** The outcome of a deletion. */
export type Deletion = 'deleted' | 'not-found';

/**
 * Deletes a request for good: its row, its body and its dead letters, in one transaction. A tombstone remains, so that records
 * of it that are still in the queue are not stored.
 *
 * Without `createdBy`, an unknown id also gets a tombstone, because its record may be on its way. With it, only a request of
 * that creator is deleted, and any other is not found. That leaves no tombstone, which could otherwise prevent a stranger's
 * request from being stored.
 *
 * @returns not-found if there was no such row
 * @throws the database's error; 55P03 if a statement that stores requests takes too long: nothing was deleted
 */
export function deleteRequest(
  database: Database,
  id: string,
  { createdBy = null }: { createdBy?: string | null } = {},
): Promise<Deletion> {
  return withoutStoring(database, async (transaction) => {
    const found = await transaction.$queryRaw<{ templateId: string }[]>(Prisma.sql`
      delete from sluice.request where id = ${id}::uuid and (${createdBy}::text is null or created_by = ${createdBy})
      returning template_id as "templateId"`);
    const [row] = found;
    if (row === undefined && createdBy !== null) return 'not-found';
    await transaction.$executeRaw(
      Prisma.sql`insert into sluice.request_tombstone (id) values (${id}::uuid) on conflict do nothing`,
    );
    const keys = [id.toLowerCase(), `begun:${id.toLowerCase()}`].map((name) => ({ recordKey: deadLetterKeysOf(name) }));
    await transaction.deadLetter.deleteMany({ where: { queue: 'completed-request', OR: keys } });
    if (row === undefined) return 'not-found';
    await transaction.requestTemplate.delete({ where: { id: row.templateId } });
    return 'deleted';
  });
}
