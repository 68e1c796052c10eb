import type { ContenderResult } from '../rounds.ts';
import { cpuCells, cpuHead, table, whole } from '../table.ts';
import type { BodySizeResult, RequestsResult } from './measure.ts';
import type { MemoryUse, SurgeResult } from './surge.ts';

const mib = 1_024 * 1_024;

/** The figures of requests as a text for people, a list of lines for each table. */
export function requestLines({ sizes, surge }: RequestsResult): string[][] {
  return [...sizes.map(sizeLines), surgeLines(surge)];
}

function sizeLines({ bodyBytes, meanBytes, sluice, original, storeStatement, copy }: BodySizeResult): string[] {
  const line = (result: ContenderResult): string[] => {
    const { name, rowsPerSecond, rounds, rows, cpuUsPerRow: cpu } = result;
    return [
      name,
      whole(rowsPerSecond),
      `${whole(Math.min(...rounds))}–${whole(Math.max(...rounds))}`,
      ((rowsPerSecond * meanBytes) / mib).toFixed(1),
      (rowsPerSecond / original.rowsPerSecond).toFixed(2),
      (rowsPerSecond / copy.rowsPerSecond).toFixed(2),
      whole(rows),
      ...(cpu === null ? [] : cpuCells(cpu, rowsPerSecond)),
    ];
  };
  const head = [
    `requests, two bodies of ${bodyBytes / 1_024} KiB`,
    'rows/s',
    'of the rounds',
    'MiB/s',
    '× original',
    '× COPY',
    'rows',
  ];
  return table([
    copy.cpuUsPerRow === null ? head : [...head, ...cpuHead],
    ...[sluice, original, storeStatement, copy].map(line),
  ]);
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
