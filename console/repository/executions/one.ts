import { z } from 'zod';
import { type Database, Prisma } from '../../../shared/database.ts';
import { inSnapshot } from './snapshot.ts';
import { type ExecutionSummary, summaryColumns } from './summary.ts';

/** An execution with all that is known of it. */
export interface StoredExecution extends ExecutionSummary {
  /** evaluated nodes in their order, as far as they were kept; null without a trace */
  trace: unknown[] | null;
  input: unknown;
  /** by the database's clock; null for a row that is older than the column */
  storedAt: Date | null;
}

/** An execution by its id; null when there is none, or when the text is no id. */
export async function findExecution(
  database: Database,
  id: string,
  timeoutMs?: number,
): Promise<StoredExecution | null> {
  if (!z.guid().safeParse(id).success) return null;
  const rows = await inSnapshot(
    database,
    (snapshot) =>
      snapshot.$queryRaw<StoredExecution[]>(
        // The key is unique with the time only. A row of the same id and another time is another record's mistake.
        Prisma.sql`select ${summaryColumns}, trace, input, stored_at as "storedAt" from sluice.strategy_execution_log where id = ${id}::uuid
          order by recorded_at desc limit 1`,
      ),
    timeoutMs,
  );
  return rows[0] ?? null;
}
