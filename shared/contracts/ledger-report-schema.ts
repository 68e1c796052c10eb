import { z } from 'zod';
import { ledgerChunkVersion } from './chunk.ts';
import { latestMinute, mostRealmChars } from './ledger-header.ts';
import {
  type LedgerCounters,
  type LedgerReportJob,
  placedRecords,
  reportingProducerPattern,
  reportLimits,
} from './ledger-report.ts';
import { parseSafely } from './parse-chunk.ts';

const count = z.int().min(0);
const records = (what: string) => count.describe(`Records ${what}.`);

const counterFields = z.strictObject({
  recorded: records('that the service handed over, whatever became of them').optional(),
  sampledOut: records('that the sampler left out').optional(),
  disabled: records('that were not kept because the producer is switched off').optional(),
  dropped: z
    .record(z.string().regex(/^[A-Za-z0-9_-]{1,50}$/), count)
    .refine(
      (reasons) => Object.keys(reasons).length <= reportLimits.reasons,
      `accepted: up to ${reportLimits.reasons} reasons`,
    )
    .optional()
    .describe('Records that were dropped, by the reason.'),
  refused: records('that Redis refused for good').optional(),
  chunked: records('in numbered chunks').optional(),
  sent: records('in chunks that Redis has acknowledged').optional(),
  handed: records('that a gateway has accepted, which counts them from there on').optional(),
});

const counters = counterFields.refine((counted) => placedRecords(counted) <= (counted.recorded ?? 0), {
  error: ({ input }) => {
    const counted = input as LedgerCounters;
    return `has ${counted.recorded ?? 0} records recorded, and says where ${placedRecords(counted)} of them are`;
  },
});

/** NUL and half a pair of surrogates are in no JSON that PostgreSQL stores. */
const isStorable = (text: string): boolean => !text.includes('\0') && text.isWellFormed();

const realm = z
  .string()
  .max(mostRealmChars)
  .refine(isStorable, 'must have no NUL and no lone surrogate')
  .nullable()
  .describe('The realm; null: none. `*`: not told apart.');

const seq = z.int().min(1);

/** The data of a job with a report. What it does not know is refused: a misspelled counter is noticed. */
export const ledgerReportSchema = z.strictObject({
  v: z.literal(ledgerChunkVersion).describe('The version of chunks with accounts.'),
  producer: z
    .string()
    .regex(reportingProducerPattern)
    .describe('As in the chunks of the life. Of a client of the gateway: its name, `@` and the name of its sender.'),
  epoch: count.describe('As in the chunks of the life.'),
  life: z
    .string()
    .regex(/^[A-Za-z0-9]{1,100}$/)
    .describe('As in the chunks of the life.'),
  report: z
    .strictObject({
      number: seq.describe('1, 2, 3, … within the life. The one with the highest number is the newest.'),
      at: count
        .max(latestMinute * 60_000)
        .describe('When it was made, by the clock of the producer, in milliseconds since 1970.'),
      kind: z
        .string()
        .regex(/^[a-z0-9-]{1,50}$/)
        .describe('What the producer is: `execution-observer`, `request-sender`, `python`, …'),
      isFinal: z.boolean().describe('True: it is the last one of the life.'),
      lastSeq: count.describe('The number of the last chunk; 0 if there is none yet.'),
      chunkedRecords: records('in the chunks up to that one'),
      waitingRecords: records('that are in no chunk yet'),
      unacknowledged: z
        .array(z.tuple([seq.describe('The first one.'), seq.describe('The last one, included.')]))
        .max(reportLimits.unacknowledged)
        .describe('Numbers of chunks that Redis has not acknowledged yet, ascending; of many the oldest.'),
      spilledRecords: records("on the producer's disk"),
      takenOverRecords: records('of the life that another one has taken from its disk, and sends'),
      totals: counters.describe('Of the whole life.'),
      minutes: z
        .array(
          z.tuple([
            z.int().min(0).max(latestMinute).describe('In minutes since 1970, by the clock of the producer.'),
            realm,
            counters.describe('Of this minute and realm, from its beginning.'),
          ]),
        )
        .max(reportLimits.minutes)
        .describe('The minutes that have changed since the last report that was acknowledged.'),
    })
    .describe('Cumulative: it replaces those with lower numbers.'),
}) satisfies z.ZodType<LedgerReportJob>;

export type ParsedReport = { kind: 'report'; job: LedgerReportJob } | { kind: 'malformed'; reason: string };

/** Parses the data of a job with a report. Never throws. */
export function parseReport(data: unknown): ParsedReport {
  const parsed = parseSafely(ledgerReportSchema, data);
  return parsed.success ? { kind: 'report', job: parsed.data } : { kind: 'malformed', reason: parsed.reason };
}
