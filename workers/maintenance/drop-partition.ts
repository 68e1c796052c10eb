import { type Database, Prisma } from '../../shared/platform/postgres/database.ts';
import { classifyDatabaseError, lockCodes } from '../../shared/platform/postgres/database-errors.ts';
import { setLockLimits } from '../../shared/platform/postgres/lock-limits.ts';
import {
  type Partition,
  type PartitionCatalog,
  quoteTable,
  readPartitionsWithin,
  transactionLimits,
} from '../../shared/platform/postgres/partitions/partition-catalog.ts';

/**
 * What became of a partition that was to be dropped. `gone`: somebody else was first, or it is not expired after all.
 * `detached`: in place of `dropped`, where that was asked for.
 */
export type DropResult = 'dropped' | 'detached' | 'gone' | 'locked';

/** Any fixed number: processes that drop partitions at the same time take turns on it. */
const advisoryLock = 7_270_413;

/** For one statement: the files of the partition are deleted after the locks are gone. */
const dropTimeoutMs = 2_000;

/**
 * Drops one partition with all its rows, in a transaction of its own: it is there or it is not, wherever a process dies.
 *
 * Inserts wait behind the lock on the table. So that they never wait behind a long reader, the lock is given up after half
 * a second (see `setLockLimits`), which counts for the table and once more for the partition. What is to be dropped is
 * decided again under that lock, when nobody can attach or detach anything any more.
 *
 * @param options.detachWith the partition is only detached, and gets this comment: then it is a table by itself. @default null
 * @throws what the database said, when it was not about a lock
 */
export async function dropPartition(
  database: Database,
  options: {
    table: string;
    name: string;
    isExpired: (partition: Partition, catalog: PartitionCatalog) => boolean;
    detachWith?: string | null;
  },
): Promise<DropResult> {
  const { table, name, isExpired, detachWith = null } = options;
  try {
    return await database.$transaction(async (transaction) => {
      await setLockLimits(transaction, { statementMs: dropTimeoutMs });
      await transaction.$executeRaw`select pg_advisory_xact_lock(${advisoryLock})`;
      if ((await findExpired(transaction)) === undefined) return 'gone';
      await transaction.$executeRaw(Prisma.raw(`lock table only sluice."${table}" in access exclusive mode`));
      const partition = await findExpired(transaction);
      if (partition === undefined) return 'gone';
      if (detachWith !== null) {
        await detach(transaction, partition, detachWith);
        return 'detached';
      }
      await transaction.$executeRaw(Prisma.sql`drop table ${quoteTable(partition)}`);
      return 'dropped';
    }, transactionLimits);
  } catch (error) {
    if (lockCodes.includes(classifyDatabaseError(error).code)) return 'locked';
    throw error;
  }

  async function detach(
    transaction: Pick<Database, '$executeRaw'>,
    partition: Partition,
    comment: string,
  ): Promise<void> {
    const place = quoteTable(partition);
    await transaction.$executeRaw(Prisma.sql`alter table sluice.${Prisma.raw(`"${table}"`)} detach partition ${place}`);
    // A comment cannot be bound. This one is ours, and has no quote in it.
    await transaction.$executeRaw(Prisma.sql`comment on table ${place} is ${Prisma.raw(`'${comment}'`)}`);
  }

  async function findExpired(transaction: Parameters<typeof readPartitionsWithin>[0]): Promise<Partition | undefined> {
    const catalog = await readPartitionsWithin(transaction, table);
    return catalog.partitions.find((partition) => partition.name === name && isExpired(partition, catalog));
  }
}
