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

/** The versions of plain chunks that this build reads; compressed ones are of `compressedChunkVersion`. */
export const chunkVersions = [chunkVersion, spanChunkVersion] as const;

/** The data of one job: records of one producer, in the order in which they were recorded. */
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
  records: R[];
}

/** A chunk's id is its job id, so that adding it again after a lost reply adds nothing. BullMQ forbids ':' in ids. */
export function chunkId(chunk: Pick<Chunk, 'producer' | 'epoch' | 'life' | 'seq'>): string {
  return `${lifeName(chunk)}.${chunk.seq}`;
}

/** `<producer>.<epoch>.<life>`, without the last part if it is absent: a name for each life of a producer. */
function lifeName({ producer, epoch, life }: Pick<Chunk, 'producer' | 'epoch' | 'life'>): string {
  return life === undefined ? `${producer}.${epoch}` : `${producer}.${epoch}.${life}`;
}

/** A producer's name appears in job ids and logs, so few characters are allowed. */
export const producerNamePattern = /^[A-Za-z0-9_-]{1,100}$/;
