import type { EndToEndResult } from './end-to-end.ts';
import type { HealthResult } from './health/measure.ts';
import type { LatencyResult } from './latency.ts';
import { kept, type RecordCostResult, sampledOut } from './record-cost.ts';
import type { RequestsResult } from './requests/measure.ts';
import type { MemoryUse } from './requests/surge.ts';
import { table } from './table.ts';

/** A requirement on a measured value, and whether it holds. */
export interface Threshold {
  what: string;
  value: number;
  unit: string;
  /** the minimum or the maximum of the value */
  least?: number;
  most?: number;
  holds: boolean;
}

/** The ratios are those of the default fleet of two workers, which is what `npm start` runs. */
export function endToEndThresholds({ sluice, jobPerRow, copy }: EndToEndResult): Threshold[] {
  const { rowsPerSecond } = sluice.two;
  return [
    atLeast(10, {
      what: 'Sluice compared with a job per row',
      value: rowsPerSecond / jobPerRow.rowsPerSecond,
      unit: '×',
    }),
    atLeast(0.4, { what: 'Sluice compared with raw COPY', value: rowsPerSecond / copy.rowsPerSecond, unit: '×' }),
    atLeast(0.85, {
      what: 'Sluice compared with raw COPY, the goal',
      value: rowsPerSecond / copy.rowsPerSecond,
      unit: '×',
    }),
  ];
}

export function latencyThresholds({ p99Ms }: LatencyResult): Threshold[] {
  return [atMost(250, { what: 'record() to visible at half load, p99', value: p99Ms, unit: 'ms' })];
}

export function recordCostThresholds(results: readonly RecordCostResult[]): Threshold[] {
  const medianOf = (name: string) => results.find((result) => result.name === name)?.medianUs ?? Number.NaN;
  return [
    atMost(2, { what: 'record(), sampled out, median', value: medianOf(sampledOut), unit: 'µs' }),
    atMost(15, { what: 'record(), kept, typical run, median', value: medianOf(kept), unit: 'µs' }),
  ];
}

export function requestThresholds({ sizes, surge }: RequestsResult): Threshold[] {
  const growthOf = ({ firstHalfBytes, restBytes }: MemoryUse) => restBytes / firstHalfBytes;
  const memory = 'in a surge, second half compared with the first';
  return [
    ...sizes.slice(0, 1).map(({ bodyBytes, sluice, original }) =>
      atLeast(1, {
        what: `Sluice compared with the original's design, bodies of ${bodyBytes / 1_024} KiB`,
        value: sluice.rowsPerSecond / original.rowsPerSecond,
        unit: '×',
      }),
    ),
    atMost(1.25, { what: `memory of the producer ${memory}`, value: growthOf(surge.producer), unit: '×' }),
    atMost(1.25, { what: `memory of the worker ${memory}`, value: growthOf(surge.worker), unit: '×' }),
  ];
}

export function healthThresholds({ hardened, mirror }: HealthResult): Threshold[] {
  return [
    atLeast(20, {
      what: "health events, hardened compared with the original's loop",
      value: hardened.drained.rowsPerSecond / mirror.drained.rowsPerSecond,
      unit: '×',
    }),
    atMost(1, {
      what: "event written to lobby informed, p50 above the original's",
      value: hardened.latency.p50Ms - mirror.latency.p50Ms,
      unit: 'ms',
    }),
  ];
}

type Measured = Pick<Threshold, 'what' | 'value' | 'unit'>;

export function atLeast(least: number, measured: Measured): Threshold {
  return { ...measured, least, holds: measured.value >= least };
}

export function atMost(most: number, measured: Measured): Threshold {
  return { ...measured, most, holds: measured.value <= most };
}

/** The thresholds as a text for people. */
export function thresholdLines(thresholds: readonly Threshold[]): string[] {
  return table([
    ['threshold', 'measured', 'required', ''],
    ...thresholds.map(({ what, value, unit, least, most, holds }) => [
      what,
      `${value.toFixed(value < 10 ? 2 : 1)} ${unit}`,
      least === undefined ? `≤ ${most} ${unit}` : `≥ ${least} ${unit}`,
      holds ? 'holds' : 'MISSED',
    ]),
  ]);
}
