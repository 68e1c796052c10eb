import { z } from 'zod';
import { type Database, Prisma } from '../../shared/platform/postgres/database.ts';
import { readPartitions } from '../../shared/platform/postgres/partitions/partition-catalog.ts';
import { executionLogTable } from '../../shared/platform/postgres/partitions/partitions.ts';
import { instantOfUuid, partitionsAtOnce, type TimeSlice, timeSlices } from './id-slices.ts';
import { inSnapshot } from './snapshot.ts';
import { type ExecutionSummary, summaryColumns } from './summary.ts';

/** An execution with all its details. */
export interface StoredExecution extends ExecutionSummary {
  /** the evaluated nodes in order, as far as they were kept; null without a trace */
  trace: unknown[] | null;
  input: unknown;
  /** by the database's clock; null for a row that is older than the column */
  storedAt: Date | null;
}

/**
 * The SDK sets an id and a time of the same millisecond. A caller that sets one of them gets the other from the start or the
 * end of the run, or of the request: within an hour.
 */
const nearMs = 3_600_000;

/**
 * An execution by its id; null if it does not exist, or the text is not an id. The time in a UUIDv7 says which partition to
 * search first. Only if it is not there are all partitions searched, a few at a time.
 */
export async function findExecution(
  database: Database,
  id: string,
  timeoutMs?: number,
): Promise<StoredExecution | null> {
  if (!z.guid().safeParse(id).success) return null;
  const ms = instantOfUuid(id);
  const near = ms === null ? null : { fromMs: ms - nearMs, untilMs: ms + nearMs };
  const found = near === null ? null : await findWithin(database, { id, slice: near, timeoutMs });
  if (found !== null) return found;
  const { partitions } = await readPartitions(database, executionLogTable);
  const bounds = partitions.map((partition) => partition.bounds);
  for (const slice of timeSlices(bounds, partitionsAtOnce)) {
    const older = await findWithin(database, { id, slice, timeoutMs });
    if (older !== null) return older;
  }
  return null;
}

async function findWithin(
  database: Database,
  { id, slice, timeoutMs }: { id: string; slice: TimeSlice; timeoutMs: number | undefined },
): Promise<StoredExecution | null> {
  const { fromMs, untilMs } = slice;
  const conditions = [
    Prisma.sql`id = ${id}::uuid`,
    ...(fromMs === null ? [] : [Prisma.sql`recorded_at >= ${new Date(fromMs)}`]),
    ...(untilMs === null ? [] : [Prisma.sql`recorded_at < ${new Date(untilMs)}`]),
  ];
  const rows = await inSnapshot(
    database,
    (snapshot) =>
      snapshot.$queryRaw<StoredExecution[]>(
        // The key is unique only together with the time. A row with the same id and another time is a faulty duplicate.
        Prisma.sql`select ${summaryColumns}, trace, input, stored_at as "storedAt" from sluice.strategy_execution_log
          where ${Prisma.join(conditions, ' and ')} order by recorded_at desc limit 1`,
      ),
    timeoutMs,
  );
  return rows[0] ?? null;
}
