import { crc32 } from 'node:zlib';

/** In texts the quotes are escaped, so the first match is the field of the first record. */
const firstRequestId = /"requestId"\s*:\s*"([^"]*)"/;

/** The id of the first request in the JSON of a record or a chunk, or beside the compressed records of one. */
export function requestIdOf(json: string): string | null {
  return firstRequestId.exec(json)?.[1] ?? null;
}

/**
 * The shard of a request, from 0: by the CRC-32 of its id, so that all of its records are in one shard, whoever sends them.
 *
 * @param json of a record, or of a chunk, compressed or not, whose records are all of one shard
 */
export function shardOfRequest(json: string, shards: number): number {
  return crc32(requestIdOf(json)?.toLowerCase() ?? '') % shards;
}
