import { environmentLine } from '../environment.ts';
import { contenderTable, table, whole } from '../table.ts';
import { atLeast, atMost, type Threshold, thresholdLines } from '../thresholds.ts';
import type { GrowthResult } from './measure.ts';
import type { MemoryResult } from './memory-slope.ts';
import type { SizeResult } from './sizes.ts';

/** A slope of so many standard errors may be chance. */
export const noise = 2;
const gb = 1_000_000_000;

/** The figures as a text for people. */
export function toGrowthReport(result: GrowthResult): string {
  const { environment, sizes, memory } = result;
  return [
    [environmentLine(environment)],
    contenderTable(
      "Sluice, 2 workers, today's partition",
      sizes.flatMap(({ today, beside }) => [today, beside]),
      {},
    ),
    sizeLines(sizes),
    ...(memory === null ? [] : [memoryLines(memory)]),
    thresholdLines(growthThresholds(result)),
  ]
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

export function growthThresholds({ sizes, memory }: GrowthResult): Threshold[] {
  const largest = sizes.slice(-1).map((size) =>
    atLeast(0.9, {
      what: `rate after ${whole(size.rows)} rows compared with an empty partition, the goal`,
      value: ratioOf(size),
      unit: '×',
    }),
  );
  const slopes = (memory?.workers ?? []).map(({ slope, standardError }, index) =>
    atMost(noise, {
      what: `growth of the memory of worker ${index + 1}, in standard errors`,
      value: slope / standardError,
      unit: '×',
    }),
  );
  return [...largest, ...slopes];
}

function ratioOf({ today, beside }: SizeResult): number {
  return today.rowsPerSecond / beside.rowsPerSecond;
}

function sizeLines(sizes: readonly SizeResult[]): string[] {
  return table([
    ["rows in today's partition", 'GB', '× empty', 'newest 50 failures, ms', 'a strategy of 50,000 rows, 24 hours, ms'],
    ...sizes.map((size) => [
      whole(size.rows),
      (size.bytes / gb).toFixed(1),
      ratioOf(size).toFixed(2),
      size.reads?.newestFailuresMs.toFixed(1) ?? '–',
      size.reads?.dayMs.toFixed(1) ?? '–',
    ]),
  ]);
}

function memoryLines({ rowsPerSecond, minutes, workers }: MemoryResult): string[] {
  return table([
    [
      `${minutes} minutes at ${whole(rowsPerSecond)} rows/s`,
      'MB, first',
      'last',
      'slope, MB an hour',
      '± standard error',
      'samples',
      '',
    ],
    ...workers.map(({ samples, firstMb, lastMb, slope, standardError }, index) => [
      `memory of worker ${index + 1}`,
      firstMb.toFixed(0),
      lastMb.toFixed(0),
      slope.toFixed(1),
      standardError.toFixed(1),
      whole(samples),
      verdict(slope / standardError),
    ]),
  ]);
}

export function verdict(standardErrors: number): string {
  if (Math.abs(standardErrors) <= noise) return 'within noise';
  return standardErrors > 0 ? 'GROWS' : 'shrinks';
}
