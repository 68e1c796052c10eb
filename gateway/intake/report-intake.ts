import { producerNamePattern } from '../../shared/contracts/chunk.ts';
import { unnamedRealm } from '../../shared/contracts/ledger-header.ts';
import {
  clientProducer,
  type LedgerCounters,
  type LedgerReport,
  type LedgerReportJob,
  reportId,
} from '../../shared/contracts/ledger-report.ts';
import { parseReport } from '../../shared/contracts/ledger-report-schema.ts';
import { jsonOrNull } from '../../shared/platform/json-or-null.ts';
import type { Sender } from '../access/sender.ts';
import { Refusal } from '../http/refusal.ts';

/** A report as it goes into the queue. */
export interface ReportJob {
  /** of the job */
  id: string;
  /** the job data, as JSON */
  data: string;
}

/**
 * Reads the report of a client. It gets a name in which the sender's own stands, so that no sender writes the books of another
 * one, and says nothing of realms that the sender may not write.
 *
 * @throws Refusal when it is no report of a client
 */
export function readReport(body: Buffer, sender: Sender | null): ReportJob {
  const data = jsonOrNull(body.toString());
  if (data === null) throw new Refusal('invalid-json', 'The body is not JSON');
  const parsed = parseReport(data);
  if (parsed.kind === 'malformed') throw new Refusal('invalid-request', `The body is no report: ${parsed.reason}`);
  const { job } = parsed;
  if (!producerNamePattern.test(job.producer))
    throw new Refusal('invalid-request', 'producer: give a name without @; the name of the sender is added');
  const fault = findClaim(job.report);
  if (fault !== null)
    throw new Refusal('invalid-request', `${fault}: must be 0 or empty, as a client of the gateway has no chunks`);
  const named: LedgerReportJob = {
    ...job,
    producer: clientProducer(job.producer, sender?.name ?? null),
    report: { ...job.report, minutes: job.report.minutes.filter(([, realm]) => mayWrite(sender, realm)) },
  };
  return { id: reportId(named, job.report.number), data: JSON.stringify(named) };
}

/** The first field that claims something about chunks, of which a client has none. */
function findClaim({ totals, minutes, unacknowledged, ...report }: LedgerReport): string | null {
  const numbers = ['lastSeq', 'chunkedRecords', 'spilledRecords', 'takenOverRecords'] as const;
  const claimed = numbers.find((name) => report[name] > 0);
  if (claimed !== undefined) return claimed;
  if (unacknowledged.length > 0) return 'unacknowledged';
  const hasChunks = ({ chunked = 0, sent = 0 }: LedgerCounters): boolean => chunked + sent > 0;
  if (hasChunks(totals)) return 'totals (chunked, sent)';
  return minutes.some(([, , counters]) => hasChunks(counters)) ? 'minutes (chunked, sent)' : null;
}

/** Where realms are not told apart, or there is none, nobody's books are meant. */
function mayWrite(sender: Sender | null, realm: string | null): boolean {
  const realms = sender?.realms ?? null;
  return realms === null || realm === null || realm === unnamedRealm || realms.includes(realm);
}
