import { ledgerChunkVersion } from './chunk.ts';
import { type LedgerHeader, readLedgerHeader } from './ledger-header.ts';

/**
 * The version of a compressed chunk, an envelope around the text of a plain one: workers that do not know it delay it. Its
 * members stand in this order and without spaces, so that its size is known without a parser:
 *
 * `{"v":3,"producer":"…","epoch":…,"life":"…","seq":…,"requestId":"…","encoding":"zstd","count":…,"bytes":…,"data":"…"}`
 *
 * `count` is the number of records, `bytes` the size of the plain text in UTF-8, `data` its zstd frame in base64: Redis clients
 * hand job data on as text. `requestId` is that of the first record, in chunks of requests only; it decides the shard.
 */
export const compressedChunkVersion = 3;

/** It is in each of them, and in no record's own text, where quotes are escaped. */
export const compressedSign = '"encoding":"zstd"';

/** Below so many bytes of plain text a chunk is not compressed: there is little to be had. */
export const leastCompressedBytes = 1_024;

/**
 * Of plain text, in UTF-8. The largest chunk that the settings allow has 16 MiB; only a single request with huge bodies may be
 * larger, and stays plain. What declares more is refused: it could be a bomb.
 */
export const mostCompressedBytes = 64 * 1_048_576;

/** A compressed chunk, all but decompressed. */
export interface CompressedChunk {
  /** the members that both envelopes share: `"producer":"p","epoch":1,"seq":1` */
  origin: string;
  producer: string;
  /** of the first record; null: not told */
  requestId: string | null;
  /** records in it, as far as its producer says */
  count: number;
  /** of the plain text, in UTF-8 */
  bytes: number;
  /** a zstd frame in base64 */
  data: string;
}

const originForm = String.raw`"producer":"([A-Za-z0-9_-]{1,100})","epoch":(\d{1,16})(?:,"life":"([A-Za-z0-9]{1,100})")?,"seq":(\d{1,16})`;
const plainHead = new RegExp(String.raw`^\{"v":(\d{1,9}),(${originForm}),(?="records":\[|"before":)`);
const compressedHead = new RegExp(
  String.raw`^\{"v":${compressedChunkVersion},(${originForm})(?:,"requestId":"([^"\\]{0,200})")?,${compressedSign},"count":(\d{1,9}),"bytes":(\d{1,9}),"data":"`,
);
const dataEnd = '"}';

/** Null when the text is no compressed chunk. Costs nothing that grows with the text. */
export function readCompressedChunk(text: string): CompressedChunk | null {
  const [head, origin, producer, , , , requestId, count, bytes] = compressedHead.exec(text) ?? [];
  if (head === undefined || origin === undefined || producer === undefined || !text.endsWith(dataEnd)) return null;
  return {
    ...{ origin, producer, requestId: requestId ?? null },
    ...{ count: Number(count), bytes: Number(bytes) },
    data: text.slice(head.length, -dataEnd.length),
  };
}

/** What stands before the records of a plain chunk. */
export interface PlainHead {
  version: number;
  /** the members that an envelope around the chunk repeats */
  origin: string;
  producer: string;
  epoch: number;
  life: string | undefined;
  seq: number;
  /** null: the chunk says nothing to the ledger */
  ledger: LedgerHeader | null;
  /** bytes up to the first record */
  length: number;
}

/** More than a head in the form that the SDK writes can have, but for what it says to the ledger. */
const longestOrigin = 512;
/** With that. A longer one is valid, too: a parser reads it. */
const longestHead = 1_048_576;

/** In no text of JSON can this be but where the records begin: a quote in a string has a backslash before it. */
const recordsSign = ',"records":[';

/** Null when the chunk is not in the form that the SDK writes. Costs nothing that grows with the records. */
export function readPlainHead(plain: Buffer): PlainHead | null {
  const [head, version, origin, producer, epoch, life, seq] =
    plainHead.exec(plain.toString('latin1', 0, longestOrigin)) ?? [];
  if (head === undefined || origin === undefined || producer === undefined) return null;
  // The comma before `records` may be that behind the number.
  const recordsAt = plain.subarray(0, longestHead).indexOf(recordsSign, head.length - 1);
  if (recordsAt === -1) return null;
  const hasMore = recordsAt >= head.length;
  const ledger = hasMore ? readLedgerHeader(plain.toString('utf8', head.length, recordsAt)) : null;
  if (hasMore && (ledger === null || Number(version) !== ledgerChunkVersion)) return null;
  return {
    ...{ version: Number(version), origin, producer, epoch: Number(epoch), life, seq: Number(seq), ledger },
    length: recordsAt + recordsSign.length,
  };
}

export function writeCompressedChunk(chunk: Omit<CompressedChunk, 'producer'>): string {
  const requestId = chunk.requestId === null ? '' : `,"requestId":"${chunk.requestId}"`;
  const { origin, count, bytes, data } = chunk;
  return `{"v":${compressedChunkVersion},${origin}${requestId},${compressedSign},"count":${count},"bytes":${bytes},"data":"${data}${dataEnd}`;
}
