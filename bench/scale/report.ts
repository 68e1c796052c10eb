import { cpuCells, cpuHead, table, whole } from '../table.ts';
import type { ScaleResult } from './measure.ts';

/** The figures as a text for people. */
export function toScaleReport({ meanBytes, fleets, queues, sizes }: ScaleResult): string {
  return [
    `rows of ${whole(meanBytes)} bytes of JSON on average`,
    table([
      ['records', 'rows/s', ...cpuHead, 'WAL bytes', 'stored bytes'],
      ...sizes.map(({ meanBytes: bytes, rowsPerSecond, cpuUsPerRow, walBytes, storedBytes }) => [
        `of ${whole(bytes)} bytes, one worker`,
        whole(rowsPerSecond),
        ...(cpuUsPerRow === null ? cpuHead.map(() => '–') : cpuCells(cpuUsPerRow, rowsPerSecond)),
        whole(walBytes),
        whole(storedBytes),
      ]),
    ]).join('\n'),
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
    ]).join('\n'),
    table([
      ['fleet', 'rows/s', 'of the rounds', ...cpuHead],
      ...fleets.map(({ name, rowsPerSecond, rounds, cpuUsPerRow }) => [
        name,
        whole(rowsPerSecond),
        `${whole(Math.min(...rounds))}–${whole(Math.max(...rounds))}`,
        ...(cpuUsPerRow === null ? cpuHead.map(() => '–') : cpuCells(cpuUsPerRow, rowsPerSecond)),
      ]),
    ]).join('\n'),
  ].join('\n\n');
}
