import { contenderTable, table, whole } from '../table.ts';
import type { BodySizeResult, RequestsResult } from './measure.ts';
import type { MemoryUse, SurgeResult } from './surge.ts';

const mib = 1_024 * 1_024;

/** The figures of requests as a text for people, a list of lines for each table. */
export function requestLines({ sizes, surge }: RequestsResult): string[][] {
  return [...sizes.map(sizeLines), surgeLines(surge)];
}

function sizeLines({ bodyBytes, meanBytes, sluice, original, storeStatement, copy }: BodySizeResult): string[] {
  return contenderTable(`requests, two bodies of ${bodyBytes / 1_024} KiB`, [sluice, original, storeStatement, copy], {
    'MiB/s': (rowsPerSecond) => ((rowsPerSecond * meanBytes) / mib).toFixed(1),
    '× original': (rowsPerSecond) => (rowsPerSecond / original.rowsPerSecond).toFixed(2),
    '× COPY': (rowsPerSecond) => (rowsPerSecond / copy.rowsPerSecond).toFixed(2),
  });
}

function surgeLines(surge: SurgeResult): string[] {
  const { accepted, drainSeconds, heapMib, offeredPerSecond, producer, seconds, turnedAway, worker } = surge;
  const memory = ({ calmBytes, firstHalfBytes, restBytes }: MemoryUse): string[] => [
    ...[calmBytes, firstHalfBytes, restBytes].map((bytes) => (bytes / mib).toFixed(0)),
    (restBytes / firstHalfBytes).toFixed(2),
  ];
  return [
    `a surge of ${seconds} s at ${whole(offeredPerSecond)} requests/s, ten times what is stored: ${whole(accepted)} accepted and stored, ${whole(turnedAway)} turned away, drained after ${drainSeconds.toFixed(1)} s`,
    ...table([
      [
        `highest memory, MiB, with heaps of ${heapMib} MiB`,
        'before',
        'first half',
        'second half and after',
        'of the first',
      ],
      ['producer', ...memory(producer)],
      ['worker', ...memory(worker)],
    ]),
  ];
}
