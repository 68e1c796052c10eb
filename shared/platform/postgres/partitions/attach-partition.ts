import { type Database, Prisma, type Transaction } from '../database.ts';
import {
  classifyDatabaseError,
  deadlockDetected,
  insufficientPrivilege,
  lockNotAvailable,
  queryCanceled,
} from '../database-errors.ts';
import { setLockLimits } from '../lock-limits.ts';
import { transactionLimits } from './partition-catalog.ts';
import { takeAfterTable } from './partition-rights.ts';
import type { DayPartition } from './partition-spans.ts';

/** What became of a try to make a partition. */
export type AttachResult =
  | 'created'
  /** somebody else was first */
  | 'there'
  /** the DEFAULT partition has rows of the day */
  | 'blocked'
  /** a lock was not had in time, or another table came by the name first */
  | 'in use'
  /** the DEFAULT partition could not be looked through in time */
  | 'scan too long'
  /** the user may make no tables, or does not own the table */
  | 'not allowed';

/** Any fixed number: processes that make partitions at the same time take turns on it. */
const advisoryLock = 7_270_412;

/** How long PostgreSQL may look through the DEFAULT partition, which nobody else can use meanwhile. */
export const defaultScanMs = 2_000;

const results: Record<string, AttachResult> = {
  '23514': 'blocked',
  [lockNotAvailable]: 'in use',
  [deadlockDetected]: 'in use',
  '42P07': 'in use',
  '23505': 'in use',
  [queryCanceled]: 'scan too long',
  [insufficientPrivilege]: 'not allowed',
};

/**
 * Makes the partition of a day, in a transaction of its own. The table is made by itself and then attached: that locks
 * nothing but the DEFAULT partition, where `create table … partition of` locks the whole table. Inserts into other
 * partitions go on. The lock is waited for and held for `scanMs` at most.
 *
 * @param day its parts are ours: they become SQL as they are, since identifiers cannot be bound
 * @param options.isMissing asked again when it is this process's turn
 * @throws what the database said, when it was none of these
 */
export async function attachDay(
  database: Database,
  table: string,
  { name, from, until }: DayPartition,
  options: {
    scanMs: number;
    isMissing: (transaction: Transaction) => Promise<boolean>;
  },
): Promise<AttachResult> {
  try {
    return await database.$transaction(async (transaction) => {
      await setLockLimits(transaction, { statementMs: options.scanMs });
      await transaction.$executeRaw`select pg_advisory_xact_lock(${advisoryLock})`;
      if (!(await options.isMissing(transaction))) return 'there';
      await transaction.$executeRaw(Prisma.raw(`create table sluice."${name}" (like sluice."${table}" including all)`));
      await takeAfterTable(transaction, table, name);
      await transaction.$executeRaw(
        Prisma.raw(
          `alter table sluice."${table}" attach partition sluice."${name}" for values from ('${from}') to ('${until}')`,
        ),
      );
      return 'created';
    }, transactionLimits);
  } catch (error) {
    const result = results[classifyDatabaseError(error).code];
    if (result === undefined) throw error;
    return result;
  }
}
