import { pause } from '../../shared/platform/deadline.ts';
import { type Database, Prisma } from '../../shared/platform/postgres/database.ts';
import { type Place, readUnreadFacts } from './read-unread-facts.ts';
import type { Task, TaskDeps } from './task.ts';

export interface FactsReport {
  outcome: 'done' | 'interrupted';
  /** requests whose bodies were read */
  read: number;
  /** whether others are left for the next run */
  isMore: boolean;
}

/** Other tasks wait for this one, so it goes on in its next run. */
const runMs = 600_000;

/** At least so long a pause follows a batch, and at least as long as it took: others get half of the time. */
const minPauseMs = 20;

/** The rows that a preview counts to. */
const mostCounted = 1_000_000;

/**
 * Reads the bodies of ended requests that no worker has read: rows that are older than the columns, and those that a worker of an
 * older version has ended. The newest come first. An index has just these rows, so a run costs nothing when there are none.
 */
export function createFactsTask({ database, logger, onFactsRead }: TaskDeps): Task<FactsReport> {
  return {
    async run(signal) {
      const startedAt = performance.now();
      const report: FactsReport = { outcome: 'done', read: 0, isMore: false };
      let after: Place | null = null;
      for (;;) {
        const batchAt = performance.now();
        const batch = await readUnreadFacts(database, after);
        report.read += batch.read;
        if (batch.read > 0) onFactsRead?.(batch.read);
        after = batch.last;
        if (after === null) break;
        report.isMore = performance.now() - startedAt > runMs;
        if (signal.aborted) return { ...report, outcome: 'interrupted', isMore: true };
        if (report.isMore) break;
        await pause(Math.max(minPauseMs, performance.now() - batchAt), signal);
      }
      if (report.read > 0) logger.info({ requests: report.read, isMore: report.isMore }, 'bodies of requests read');
      return report;
    },
    async preview() {
      return { wouldRead: await countUnreadFacts(database, mostCounted) };
    },
  };
}

/** How many requests there are that a run would read, counted up to `most`. */
async function countUnreadFacts(database: Database, most: number): Promise<number> {
  const [counted] = await database.$queryRaw<{ rows: number }[]>(Prisma.sql`
    select count(*)::float8 as rows from (
      select from sluice.request where facts_version is null and state in ('completed', 'failed', 'canceled')
      limit ${most}) as unread`);
  return counted?.rows ?? 0;
}
