import type { EndToEndResult } from './end-to-end.ts';
import { type Environment, environmentLine } from './environment.ts';
import type { HealthResult } from './health/measure.ts';
import { healthLines } from './health/report.ts';
import type { LatencyResult } from './latency.ts';
import type { RecordCostResult } from './record-cost.ts';
import type { RequestsResult } from './requests/measure.ts';
import { requestLines } from './requests/report.ts';
import { contenderTable, table, whole } from './table.ts';
import { type Threshold, thresholdLines } from './thresholds.ts';

/** All results of a run of the bench; `--json` prints this. */
export interface Figures {
  environment: Environment;
  /** the executions; null: not requested */
  rows: { count: number; meanBytes: number; meanTraceEntries: number } | null;
  /** null: not requested */
  endToEnd: EndToEndResult | null;
  latency: LatencyResult | null;
  recordCost: RecordCostResult[] | null;
  requests: RequestsResult | null;
  health: HealthResult | null;
  thresholds: Threshold[];
}

/** The figures as a text for people. */
export function toReport(figures: Figures): string {
  const { environment, rows, endToEnd, latency, recordCost, requests, health, thresholds } = figures;
  return [
    [
      environmentLine(environment),
      ...(rows === null
        ? []
        : [
            `rows of ${whole(rows.meanBytes)} bytes of JSON and ${rows.meanTraceEntries.toFixed(1)} trace entries on average`,
          ]),
    ],
    endToEnd === null ? [] : endToEndLines(endToEnd),
    latency === null ? [] : latencyLines(latency),
    recordCost === null ? [] : recordCostLines(recordCost),
    ...(requests === null ? [] : requestLines(requests)),
    ...(health === null ? [] : healthLines(health)),
    thresholdLines(thresholds),
  ]
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

function endToEndLines({ sluice, jobPerRow, createMany, insertStatement, copy }: EndToEndResult): string[] {
  return contenderTable('end to end', [sluice.one, sluice.two, jobPerRow, createMany, insertStatement, copy], {
    '× job per row': (rowsPerSecond) => (rowsPerSecond / jobPerRow.rowsPerSecond).toFixed(1),
    '× COPY': (rowsPerSecond) => (rowsPerSecond / copy.rowsPerSecond).toFixed(2),
  });
}

function latencyLines({ rowsPerSecond, samples, p50Ms, p99Ms, maxMs }: LatencyResult): string[] {
  return table([
    ['record() to visible', 'rows/s', 'p50 ms', 'p99 ms', 'max ms', 'rows watched'],
    ['at half load', whole(rowsPerSecond), p50Ms.toFixed(0), p99Ms.toFixed(0), maxMs.toFixed(0), whole(samples)],
  ]);
}

function recordCostLines(results: readonly RecordCostResult[]): string[] {
  return table([
    ['one call of record()', 'median µs', 'of the quietest round', 'p99 µs', 'calls'],
    ...results.map(({ name, medianUs, quietestUs, p99Us, calls }) => [
      name,
      medianUs.toFixed(2),
      quietestUs.toFixed(2),
      p99Us.toFixed(1),
      whole(calls),
    ]),
  ]);
}
