import type { ChunkNumbers } from './chunk-numbers.ts';
import { type Chunker, type ChunkLimits, createChunker, type ProducerIdentity } from './chunker.ts';
import { type Entry, RecordBuffer } from './record-buffer.ts';
import type { Sharding } from './transport.ts';

const everything = { maxRecords: Number.POSITIVE_INFINITY, maxBytes: Number.POSITIVE_INFINITY };

/**
 * Creates the chunkers of a buffer: one, or one for each shard where every record has to go to a shard of its own. Then the
 * records are taken from the buffer as they come and sorted; they keep their room in it until they are released.
 */
export function createChunkers<E extends Entry>(
  buffer: RecordBuffer<E>,
  limits: ChunkLimits,
  identity: ProducerIdentity,
  { shards, shardOf }: Sharding,
  numbers: ChunkNumbers,
): Chunker<E>[] {
  if (shards === 1 || shardOf === null) return [createChunker(buffer, limits, identity, numbers)];
  const sorted = Array.from({ length: shards }, () => new RecordBuffer<E>(everything));
  const sort = (): void => {
    if (buffer.waiting.records === 0) return;
    for (const entry of buffer.take(everything)) sorted[shardOf(entry.record.text.beginning, shards)]?.offer(entry);
  };
  return sorted.map((part) =>
    createChunker(
      {
        waitingOf: (which) => {
          sort();
          return part.waitingOf(which);
        },
        take: (most, which) => {
          sort();
          return part.take(most, which);
        },
      },
      limits,
      identity,
      numbers,
    ),
  );
}
