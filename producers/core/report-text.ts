import { ledgerChunkVersion } from '../../shared/contracts/chunk.ts';
import {
  type LedgerMinute,
  type LedgerReport,
  type LedgerReportJob,
  reportId,
  reportLimits,
} from '../../shared/contracts/ledger-report.ts';
import type { SendableChunk } from './chunk-parts.ts';
import type { ProducerIdentity } from './chunker.ts';
import type { Tally } from './tally.ts';

/** A report as it is sent, and what it says of minutes. */
export interface WrittenReport extends SendableChunk {
  /** each with its progress at this moment */
  told: { tally: Tally; progress: number }[];
  /** nothing is left for a further report */
  isAll: boolean;
}

/**
 * Writes a report. Its minutes are those that have changed since the last report of them that Redis has acknowledged: the oldest
 * first, and as many as fit. The report is final only if all of them do.
 */
export function writeReport(
  identity: ProducerIdentity,
  report: Omit<LedgerReport, 'minutes'>,
  tallies: Iterable<Tally>,
): WrittenReport {
  const job: LedgerReportJob = {
    v: ledgerChunkVersion,
    ...identity,
    report: { ...report, isFinal: false, minutes: [] },
  };
  const told: WrittenReport['told'] = [];
  const minutes: LedgerMinute[] = [];
  let bytes = Buffer.byteLength(JSON.stringify(job));
  let isAll = true;
  for (const tally of tallies) {
    const { minute, realm, progress, reported } = tally;
    if (progress === reported) continue;
    const row: LedgerMinute = [minute, realm, tally.counters()];
    // With the comma before the next one.
    bytes += Buffer.byteLength(JSON.stringify(row)) + 1;
    isAll = bytes <= reportLimits.bytes && minutes.length < reportLimits.minutes;
    if (!isAll) break;
    minutes.push(row);
    told.push({ tally, progress });
  }
  const data = JSON.stringify({ ...job, report: { ...report, isFinal: report.isFinal && isAll, minutes } });
  return { id: reportId(identity, report.number), data, told, isAll };
}
