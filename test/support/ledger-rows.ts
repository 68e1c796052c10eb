import type pg from 'pg';
import type { RecordRun } from '../../shared/contracts/chunk.ts';
import type { LedgerCounters } from '../../shared/contracts/ledger-report.ts';
import type { QueueName } from '../../shared/contracts/queues.ts';

/** A life as the tables of the ledger name it. */
export interface TestLife {
  producer: string;
  epoch: number;
  life: string;
  queue: QueueName;
}

let lives = 0;

export function aLife(rest: Partial<TestLife> = {}): TestLife {
  lives += 1;
  return {
    producer: `producer-${lives}`,
    epoch: 1_700_000_000_000,
    life: `life${lives}`,
    queue: 'execution-log',
    ...rest,
  };
}

/** What became of a record of a chunk. */
export type Fate = 'stored' | 'duplicate' | 'dead' | 'open';

/** Writes the account of a chunk, as a worker does. @param options.fates of its records, in their order. @default all are stored */
export async function insertChunk(
  client: pg.Client,
  life: TestLife,
  chunk: { seq: number; before: number; of: readonly RecordRun[]; fates?: readonly Fate[]; firstAt?: Date },
): Promise<void> {
  const total = chunk.of.reduce((sum, [, , count]) => sum + count, 0);
  const fates = chunk.fates ?? Array.from({ length: total }, () => 'stored' as const);
  const places = (...of: Fate[]): string => fates.map((fate) => (of.includes(fate) ? '1' : '0')).join('');
  const count = (...of: Fate[]): number => fates.filter((fate) => of.includes(fate)).length;
  const isPlain = count('duplicate', 'dead') === 0;
  const parts = new Map<string, [string | null, number, number]>();
  for (const [realm, minute, records] of chunk.of) {
    const name = JSON.stringify([realm, minute]);
    parts.set(name, [realm, minute, (parts.get(name)?.[2] ?? 0) + records]);
  }
  await client.query(
    `insert into ledger_chunk (day_at, producer, epoch, life, queue, seq, before, total, parts, runs, stored, seen, dead,
       stored_places, seen_places, dead_places, first_at, settled_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14::bit varying, $15::bit varying, $16::bit varying,
       coalesce($17, now()), case when $18 then now() end)`,
    [
      ...[new Date((chunk.of[0]?.[1] ?? 0) * 60_000), life.producer, life.epoch, life.life, life.queue],
      ...[chunk.seq, chunk.before, total, JSON.stringify([...parts.values()])],
      ...[isPlain ? null : JSON.stringify(chunk.of), count('stored'), count('stored', 'duplicate'), count('dead')],
      ...[places('stored'), places('stored', 'duplicate'), places('dead')],
      ...[chunk.firstAt ?? null, count('open') === 0],
    ],
  );
}

/** Writes what a life says of a minute, as a worker does when a report comes. */
export async function insertMinute(
  client: pg.Client,
  life: TestLife,
  minute: number,
  realm: string | null,
  { dropped = {}, ...counters }: LedgerCounters,
): Promise<void> {
  const of = (name: Exclude<keyof LedgerCounters, 'dropped'>): number => counters[name] ?? 0;
  await client.query(
    `insert into ledger_minute (producer, epoch, life, queue, minute_at, realm, recorded, sampled_out, disabled, dropped, dropped_by,
       refused, chunked, sent, handed) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
    [
      ...[life.producer, life.epoch, life.life, life.queue, new Date(minute * 60_000), realm ?? ''],
      ...[of('recorded'), of('sampledOut'), of('disabled')],
      ...[Object.values(dropped).reduce((sum, records) => sum + records, 0), JSON.stringify(dropped)],
      ...[of('refused'), of('chunked'), of('sent'), of('handed')],
    ],
  );
}

/** What a life said last. Times are ages in seconds, by the clock of the database. */
export interface TestReport {
  kind?: string;
  lastSeq: number;
  chunkedRecords: number;
  waitingRecords?: number;
  spilledRecords?: number;
  unacknowledged?: readonly (readonly [number, number])[];
  isFinal?: boolean;
  agoSeconds?: number;
  /** how far the clock of the producer is behind */
  behindSeconds?: number;
}

/** Writes how a life is, as a worker does when a report comes. */
export async function insertLife(client: pg.Client, life: TestLife, report: TestReport): Promise<void> {
  const { agoSeconds = 10, behindSeconds = 0, unacknowledged = [] } = report;
  await client.query(
    `insert into ledger_life (producer, epoch, life, queue, kind, report, reported_at, first_at, last_at, lag_ms, least_lag_ms, is_final,
       last_seq, chunked_records, waiting_records, unacknowledged, spilled_records, taken_over_records, recorded, sampled_out, disabled,
       dropped, dropped_by, refused, chunked, sent, handed)
     values ($1, $2, $3, $4, $5, 1, now() - make_interval(secs => $6::float8 + $7::float8), now() - interval '1 hour',
       now() - make_interval(secs => $6::float8), $7::float8 * 1000, $7::float8 * 1000, $8, $9, $10, $11, $12, $13, 0, 0, 0, 0, 0, '{}', 0, 0, 0, 0)`,
    [
      ...[life.producer, life.epoch, life.life, life.queue, report.kind ?? 'execution-observer'],
      ...[agoSeconds, behindSeconds, report.isFinal ?? false, report.lastSeq, report.chunkedRecords],
      ...[report.waitingRecords ?? 0, JSON.stringify(unacknowledged), report.spilledRecords ?? 0],
    ],
  );
}
