import { contenderTable, table, whole } from '../table.ts';
import type { ScaleResult } from './measure.ts';

/** The figures as a text for people. */
export function toScaleReport({ meanBytes, fleets, queues, sizes }: ScaleResult): string {
  return [
    [`rows of ${whole(meanBytes)} bytes of JSON on average`],
    contenderTable('one worker, one shard', sizes, {}),
    table([
      ['in PostgreSQL', 'bytes of WAL a row', 'stored with indexes'],
      ...sizes.map(({ name, walBytes, storedBytes }) => [name, whole(walBytes), whole(storedBytes)]),
    ]),
    table([
      ['the queue alone', 'added/s', 'drained/s', 'Redis CPU µs: to add', 'to drain', 'bytes waiting'],
      ...queues.map(({ nodes, shards, addUs, drainUs, waitingBytes, recordsPerSecond: { added, drained } }) => [
        `${nodes} × Redis, shards: ${shards}`,
        whole(added),
        whole(drained),
        addUs.toFixed(1),
        drainUs.toFixed(1),
        whole(waitingBytes),
      ]),
    ]),
    contenderTable('fleet', fleets, {}),
  ]
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}
