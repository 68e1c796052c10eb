/**
 * The version of the chunk envelope. Raise it only for a change that an older worker
 * would misread, and roll workers out before producers: a worker delays a newer chunk until a newer worker takes it.
 */
export const chunkVersion = 1;

/**
 * The version of a chunk with a record that has `traceId` or `spanId`: workers that know version 1 only would take these fields for a
 * mistake. A chunk without such a record is of version 1, so that they take it.
 */
export const spanChunkVersion = 2;

/**
 * The version of a chunk that says what it is to the ledger (`before`, `of`, see ledger-header.ts), or has a record with fields
 * that workers of version 2 would take for a mistake.
 */
export const ledgerChunkVersion = 4;

/** The versions of plain chunks that this build reads; compressed ones are of `compressedChunkVersion`. */
export const chunkVersions = [chunkVersion, spanChunkVersion, ledgerChunkVersion] as const;

/** So many records in a row are of this realm (null: of none) and this minute, in minutes since 1970. */
export type RecordRun = readonly [realm: string | null, minute: number, count: number];

/** Places of records in a chunk, from 0. */
export type PlaceRange = readonly [from: number, until: number];

/**
 * The data of one job: records of one producer, in the order in which they were recorded. The members are written in this order,
 * with those of the ledger between `seq` and `records`.
 */
export interface Chunk<R = unknown> {
  v: number;
  /** the process that made the records; unique among running producers */
  producer: string;
  /** when that producer started, in ms since 1970 */
  epoch: number;
  /** random: distinguishes lives with the same name and start, if the clock returned the same time twice. Absent in older chunks */
  life?: string | undefined;
  /** 1, 2, 3, … within one life, which (producer, epoch, life) identifies: a gap is a lost chunk */
  seq: number;
  /** of version 4: how many records the earlier chunks of this life have */
  before?: number | undefined;
  /** of version 4: whose the records are and when they were made, in their order. Also in a part: of the whole chunk */
  of?: readonly RecordRun[] | undefined;
  /** in a part of a chunk: the place of its first record among those of the whole chunk (but for those erased). Only a part has it */
  from?: number | undefined;
  /** places in the whole chunk whose records an erasure has taken out; they ascend */
  erased?: readonly PlaceRange[] | undefined;
  records: R[];
}

/** A chunk's id is its job id, so that adding it again after a lost reply adds nothing. BullMQ forbids ':' in ids. */
export function chunkId(chunk: Pick<Chunk, 'producer' | 'epoch' | 'life' | 'seq'>): string {
  return `${lifeName(chunk)}.${chunk.seq}`;
}

/** `<producer>.<epoch>.<life>`, without the last part if it is absent: a name for each life of a producer. */
export function lifeName({ producer, epoch, life }: Pick<Chunk, 'producer' | 'epoch' | 'life'>): string {
  return life === undefined ? `${producer}.${epoch}` : `${producer}.${epoch}.${life}`;
}

/** A producer's name appears in job ids and logs, so few characters are allowed. */
export const producerNamePattern = /^[A-Za-z0-9_-]{1,100}$/;
