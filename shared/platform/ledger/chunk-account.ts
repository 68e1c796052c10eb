import { type Chunk, type PlaceRange, producerNamePattern, type RecordRun } from '../../contracts/chunk.ts';
import { type LedgerHeader, recordsOf, unnamedRealm } from '../../contracts/ledger-header.ts';
import type { QueueName } from '../../contracts/queues.ts';

/** What the ledger notes of a chunk, or of a part of one. Places are those of records in the whole chunk, from 0. */
export interface ChunkAccount {
  queue: QueueName;
  producer: string;
  epoch: number;
  /** empty: the chunk does not say */
  life: string;
  seq: number;
  /** the chunk's first minute, ISO 8601: a redelivery has the same */
  dayAt: string;
  /** the earliest of its minutes */
  earliestAt: string;
  before: number;
  /** records of the whole chunk */
  total: number;
  /** whose they are: each realm and minute once */
  parts: readonly RecordRun[];
  /** the same in the order of the records */
  runs: readonly RecordRun[];
  /** the header has another number of records than the chunk; null: nothing is wrong with it */
  problem: 'counts' | null;
  /** of the records that came, ascending */
  places: readonly PlaceRange[];
  /** of those that an erasure took out before */
  erased: readonly PlaceRange[];
}

/** What names a chunk. */
export type ChunkIdentity = Pick<Chunk, 'producer' | 'epoch' | 'life' | 'seq'>;

const lifePattern = /^[A-Za-z0-9]{1,100}$/;

/**
 * The account of a chunk that came with so many records. What its header says is noted as far as it goes: records beyond it are of
 * an unnamed realm.
 *
 * @returns null when the chunk has a name that no chunk of the SDK has
 */
export function toChunkAccount(
  queue: QueueName,
  { producer, epoch, life, seq }: ChunkIdentity,
  header: LedgerHeader,
  records: number,
): ChunkAccount | null {
  if (!producerNamePattern.test(producer) || (life !== undefined && !lifePattern.test(life))) return null;
  const claimed = recordsOf(header);
  const { from, before } = header;
  const erased = header.erased.flatMap(([start, end]): PlaceRange[] =>
    start < claimed ? [[start, Math.min(end, claimed)]] : [],
  );
  const left = claimed - sizeOf(erased);
  const missing = (from ?? 0) + records - left;
  const [, minute] = header.of[0] ?? [null, 0, 0];
  const runs = header.of.map(([realm, at, count]): RecordRun => [toRealm(queue, realm), at, count]);
  if (missing > 0) runs.push([unnamedRealm, minute, missing]);
  const total = claimed + Math.max(0, missing);
  return {
    ...{ queue, producer, epoch, life: life ?? '', seq, before, total, runs, erased },
    dayAt: toTime(minute),
    earliestAt: toTime(runs.reduce((least, [, at]) => Math.min(least, at), minute)),
    parts: summed(runs),
    problem: missing > 0 || (from === null && missing < 0) ? 'counts' : null,
    places: remaining(erased, total, { from: from ?? 0, records }),
  };
}

/** The place of each record that came. */
export function placesOf({ places }: Pick<ChunkAccount, 'places'>): number[] {
  return places.flatMap(([from, until]) => Array.from({ length: until - from }, (_, index) => from + index));
}

/** How many places there are in ranges. */
export function sizeOf(ranges: readonly PlaceRange[]): number {
  return ranges.reduce((sum, [from, until]) => sum + until - from, 0);
}

/** Ascending places as ranges. */
export function toRanges(places: Iterable<number>): PlaceRange[] {
  const ranges: [number, number][] = [];
  for (const place of places) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === place) last[1] = place + 1;
    else ranges.push([place, place + 1]);
  }
  return ranges;
}

/** Of the places that were not erased, those from the one with this number on. */
function remaining(
  erased: readonly PlaceRange[],
  total: number,
  { from, records }: { from: number; records: number },
): PlaceRange[] {
  const found: PlaceRange[] = [];
  let skip = from;
  let take = records;
  let at = 0;
  for (const [start, end] of [...erased, [total, total] as const]) {
    const skipped = Math.min(skip, start - at);
    const count = Math.min(take, start - at - skipped);
    if (count > 0) found.push([at + skipped, at + skipped + count]);
    skip -= skipped;
    take -= count;
    at = end;
  }
  return found;
}

function summed(runs: readonly RecordRun[]): readonly RecordRun[] {
  if (runs.length === 1) return runs;
  const sums = new Map<string, [realm: string | null, minute: number, count: number]>();
  for (const [realm, minute, count] of runs) {
    const key = `${minute} ${realm === null ? '' : `"${realm}`}`;
    const sum = sums.get(key);
    if (sum === undefined) sums.set(key, [realm, minute, count]);
    else sum[2] += count;
  }
  return [...sums.values()];
}

/** PostgreSQL's JSON has neither NUL nor half a pair of surrogates. An empty name is none, and requests have none. */
function toRealm(queue: QueueName, realm: string | null): string | null {
  return realm === null || realm === '' || queue !== 'execution-log'
    ? null
    : realm.replaceAll('\0', '\uFFFD').toWellFormed();
}

function toTime(minute: number): string {
  return new Date(minute * 60_000).toISOString();
}
