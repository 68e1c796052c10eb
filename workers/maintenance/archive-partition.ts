import { archiveTable, dropArchived } from '../../archive/archive-table.ts';
import { toComment } from '../../archive/awaiting-drop.ts';
import { type ArchivedTable, removeArchive } from '../../archive/manifest.ts';

import type { Database } from '../../shared/platform/postgres/database.ts';
import { classifyDatabaseError, lockCodes, undefinedTable } from '../../shared/platform/postgres/database-errors.ts';
import type { Partition, PartitionCatalog } from '../../shared/platform/postgres/partitions/partition-catalog.ts';
import { type DropResult, dropPartition } from './drop-partition.ts';

/** What became of a partition that was to be archived and dropped. */
export type ArchiveDropResult = DropResult | 'stopped';

/** How often rows may come or go between an archive and its proof. Nobody writes to a table that is detached, so once is much. */
const tries = 2;

/** How a partition gets from the table to an archive. Any process may die in any step: the next run goes on. */
export function createArchiving(database: Database, { dir, signal }: { dir: string; signal: AbortSignal }) {
  return {
    /** Archives a partition while it is one, detaches it, and drops it when the archive has all of its rows. */
    async archiveAndDrop(
      partition: Partition,
      table: string,
      isExpired: (partition: Partition, catalog: PartitionCatalog) => boolean,
    ): Promise<ArchiveDropResult> {
      const expired = toArchived(partition, table);
      return calmly(async () => {
        // First, so that a disk that is full or away leaves the partition as it is.
        const result = await archiveTable(database, expired, { dir, signal });
        if (result === 'busy') return 'locked';
        if (result === 'stopped') return 'stopped';
        const detachWith = toComment(expired);
        const detached = await dropPartition(database, { table, name: partition.name, isExpired, detachWith });
        return detached === 'detached' ? await prove(expired, result) : detached;
      });
    },
    /** Drops a partition that was detached earlier, after it was archived. */
    drop: (expired: ArchivedTable): Promise<ArchiveDropResult> => calmly(() => prove(expired, null)),
  };

  type Written = Exclude<Awaited<ReturnType<typeof archiveTable>>, string>;

  async function prove(expired: ArchivedTable, given: Written | null): Promise<ArchiveDropResult> {
    let written = given;
    for (let left = tries; left > 0; left -= 1) {
      if (written === null) {
        const result = await archiveTable(database, expired, { dir, signal });
        if (result === 'busy') return 'locked';
        if (result === 'stopped') return 'stopped';
        written = result;
      }
      const result = await dropArchived(database, expired.place, written.manifest, signal);
      if (result !== 'different') return result;
      if (written.isNew) await removeArchive(dir, written.manifest);
      written = null;
    }
    throw new Error('its rows change while it is being archived, although it is detached: find out who writes to it');
  }
}

async function calmly(work: () => Promise<ArchiveDropResult>): Promise<ArchiveDropResult> {
  try {
    return await work();
  } catch (error) {
    const { code } = classifyDatabaseError(error);
    if (code === undefinedTable) return 'gone';
    if (lockCodes.includes(code)) return 'locked';
    throw error;
  }
}

function toArchived({ schema, name, bounds }: Partition, table: string): ArchivedTable {
  if (bounds.kind !== 'range') throw new TypeError(`${name} has no bounds`);
  const [from, until] = [new Date(bounds.fromMs).toISOString(), new Date(bounds.untilMs).toISOString()];
  return { table, from, until, place: { schema, name } };
}
