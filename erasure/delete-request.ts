import { deadLetterKeysOf } from '../shared/contracts/dead-letter-key.ts';
import { type Database, Prisma } from '../shared/platform/postgres/database.ts';
import { withoutStoring } from './request-erasure-lock.ts';

/** What became of a deletion. */
export type Deletion = 'deleted' | 'not-found';

/**
 * Deletes a request for good: its row, its body and its dead letters, in one transaction. A tombstone stays, so that what
 * is still in the queue is not stored.
 *
 * Without `createdBy` a tombstone is left for an unknown id too: its record may be on its way. With it, only a request of
 * that creator is deleted, and everything else is not found; nothing is left then, or a stranger's request could be kept
 * from being stored.
 *
 * @returns not-found when there was no such row
 * @throws what the database says, 55P03 when a statement that stores requests takes too long: nothing was deleted
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
