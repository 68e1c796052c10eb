import { isReport } from '../../shared/contracts/ledger-report.ts';
import { chunkOfJob } from '../../shared/platform/chunk-of-job.ts';

/** The records in a job, compressed or not; none in a report to the ledger. @throws when it has no chunk */
export function recordsOf<R = Record<string, unknown>>(job: { data: { v?: unknown } | null }): R[] {
  if (isReport(job.data)) return [];
  const chunk = chunkOfJob<R>(job);
  if (chunk === null) throw new Error(`no chunk: ${JSON.stringify(job.data)}`);
  return chunk.records;
}
