import type { LedgerReportJob } from '../../shared/contracts/ledger-report.ts';
import type { QueueName } from '../../shared/contracts/queues.ts';
import { reportStatement, toReportParameters } from '../../shared/platform/ledger/report-statement.ts';
import { type Database, executeWithJson, withJsonTransaction } from '../../shared/platform/postgres/database.ts';
import { classifyDatabaseError } from '../../shared/platform/postgres/database-errors.ts';
import { type CircuitBreaker, StoppedError } from '../runtime/circuit-breaker.ts';
import type { TellMetrics } from '../runtime/tell-metrics.ts';
import { type Batcher, createBatcher } from './batcher.ts';
import type { WorkerMetrics } from './metrics.ts';

/** Where the reports of producers go. */
export type ReportBox = ReturnType<typeof createReportBox>;

interface ReportEntry {
  records: number;
  job: LedgerReportJob;
}

/** Chunks do not wait for whoever holds the tables of reports. */
const lockTimeoutMs = 1_000;

const limits = { maxRecords: 100, maxBytes: 1_048_576, maxWaitMs: 50, maxInFlight: 1 };

/**
 * Takes in the reports of producers, those that come together at once, one statement at a time. An outage of the whole database is
 * waited for. Whatever else keeps reports from being stored, they are tried later.
 */
export function createReportBox(deps: {
  queue: QueueName;
  database: Database;
  breaker: Pick<CircuitBreaker, 'run'>;
  metrics: WorkerMetrics;
  tellMetrics: TellMetrics;
}) {
  const { queue, database, breaker, metrics, tellMetrics } = deps;
  const statement = reportStatement(queue);
  const batcher: Batcher<ReportEntry> = createBatcher({
    limits,
    // About: what counts are the minutes in it.
    bytesOf: ({ job }) => 1_024 + 256 * job.report.minutes.length,
    async write(entries) {
      const parameters = toReportParameters(
        queue,
        entries.map(({ job }) => job),
      );
      await breaker.run(
        () =>
          withJsonTransaction(database, { lockTimeoutMs, commits: true }, (transaction) =>
            executeWithJson(transaction, statement, ...parameters),
          ),
        { tries: 1 },
      );
      return entries.map(() => null);
    },
  });

  return {
    /** Resolves with whether the report is stored: if not, it is to be tried later. @throws StoppedError when the time is up */
    async isStored(job: LedgerReportJob): Promise<boolean> {
      try {
        await batcher.add({ records: 1, job });
        tellMetrics(() => metrics.reports.inc({ queue, outcome: 'stored' }));
        return true;
      } catch (error) {
        if (error instanceof StoppedError) throw error;
        const { class: errorClass, code } = classifyDatabaseError(error);
        tellMetrics(() => {
          metrics.retries.inc({ queue, class: errorClass, code });
          metrics.reports.inc({ queue, outcome: 'put_off' });
        });
        return false;
      }
    },
    /** From now on nothing waits for company. */
    drain: batcher.drain,
  };
}
