import { type Chunk, ledgerChunkVersion, lifeName } from './chunk.ts';

/**
 * What became of records before they were in a chunk, and how many are in chunks. Each counts from the beginning of the life, or of
 * the minute; one without a value is 0.
 */
export interface LedgerCounters {
  /** calls of `record()` and the like */
  recorded?: number | undefined;
  sampledOut?: number | undefined;
  /** not kept because the producer is switched off */
  disabled?: number | undefined;
  /** by the reason, such as `bufferFull` */
  dropped?: Readonly<Record<string, number>> | undefined;
  /** by Redis, for good */
  refused?: number | undefined;
  /** put into a numbered chunk */
  chunked?: number | undefined;
  /** in a chunk that Redis has acknowledged */
  sent?: number | undefined;
  /** accepted by the gateway, whose own life counts them from there on; in place of `chunked` and `sent` */
  handed?: number | undefined;
}

/** The counters that are plain numbers. */
export const ledgerCounters = [
  'recorded',
  'sampledOut',
  'disabled',
  'refused',
  'chunked',
  'sent',
  'handed',
] as const satisfies readonly Exclude<keyof LedgerCounters, 'dropped'>[];

export function droppedRecords({ dropped = {} }: LedgerCounters): number {
  return Object.values(dropped).reduce((sum, count) => sum + count, 0);
}

/**
 * The records of which counters say where they are. Each is in one place, so they cannot be more than were recorded. What Redis has
 * refused is in a chunk, too; what a gateway has refused of a client is in none, and a client has no chunks.
 */
export function placedRecords(counters: LedgerCounters): number {
  const { sampledOut = 0, disabled = 0, refused = 0, chunked = 0, handed = 0 } = counters;
  return sampledOut + disabled + droppedRecords(counters) + Math.max(chunked, refused) + handed;
}

/** The counters of the records of one minute, in minutes since 1970, and one realm; null: of none. */
export type LedgerMinute = readonly [minute: number, realm: string | null, counters: LedgerCounters];

/** Numbers of chunks, both included. */
export type SeqRange = readonly [first: number, last: number];

/** How one life of a producer is, by its own account. All counters are totals, so that a report may come twice, late or never. */
export interface LedgerReport {
  /** 1, 2, 3, … within the life; the one with the highest number is the newest */
  number: number;
  /** when it was made by the producer's clock, in ms since 1970 */
  at: number;
  /** what the producer is: `execution-observer`, `request-sender`, `python`, … */
  kind: string;
  /** it is the last one */
  isFinal: boolean;
  /** of the last chunk; 0: there is none yet */
  lastSeq: number;
  /** records in the chunks up to that one */
  chunkedRecords: number;
  /** records that are in no chunk yet */
  waitingRecords: number;
  /** chunks that Redis has not acknowledged yet, ascending: the oldest of them when there are more ranges than may be told */
  unacknowledged: readonly SeqRange[];
  /** records on the producer's disk */
  spilledRecords: number;
  /** records of the life that another one has taken from its disk, and sends */
  takenOverRecords: number;
  /** of the whole life */
  totals: LedgerCounters;
  /** of the minutes that have changed since the last report that was acknowledged */
  minutes: readonly LedgerMinute[];
}

/** The data of the job that carries a report: a chunk of `ledgerChunkVersion` without records. */
export interface LedgerReportJob {
  v: number;
  producer: string;
  epoch: number;
  life: string;
  report: LedgerReport;
}

/** What a report has at most. */
export const reportLimits = {
  unacknowledged: 100,
  /** rows of `minutes` */
  minutes: 2_000,
  /** reasons for which records were dropped */
  reasons: 20,
  /** of the job's data, as a producer writes it */
  bytes: 65_536,
} as const;

/** The producer of a report: a name that chunks may have, or a client of the gateway, whose name none of these can be. */
export const reportingProducerPattern = /^[A-Za-z0-9_-]{1,100}(?:@[A-Za-z0-9_.-]{1,64})?$/;

/** The producer that a client of the gateway is. @param sender whose token it has; null: the gateway has no tokens */
export function clientProducer(name: string, sender: string | null): string {
  return `${name}@${sender ?? 'anonymous'}`;
}

/** The job id of a report, so that adding it again after a lost reply adds nothing. */
export function reportId(life: Pick<Chunk, 'producer' | 'epoch' | 'life'>, number: number): string {
  return `${lifeName(life)}.report.${number}`;
}

/** Whether a job's data is a report, right or wrong. */
export function isReport(data: unknown): boolean {
  if (typeof data !== 'object' || data === null) return false;
  return 'report' in data && !('records' in data) && (data as { v?: unknown }).v === ledgerChunkVersion;
}
