import { say } from '../dev/steps.ts';
import { measureEndToEnd } from './end-to-end.ts';
import { readEnvironment } from './environment.ts';
import { measureHealth } from './health/measure.ts';
import { measureLatency } from './latency.ts';
import type { BenchOptions, Part } from './options.ts';
import { measureRecordCost } from './record-cost.ts';
import type { Figures } from './report.ts';
import { measureRequests } from './requests/measure.ts';
import { createRows } from './rows.ts';
import type { Testbed } from './testbed.ts';
import {
  endToEndThresholds,
  healthThresholds,
  latencyThresholds,
  recordCostThresholds,
  requestThresholds,
} from './thresholds.ts';

/**
 * Runs the requested parts.
 *
 * @throws Error if a contender lost a row: then no figure counts
 */
export async function runBench(testbed: Testbed, { rows: count, only }: BenchOptions): Promise<Figures> {
  const isAskedFor = (part: Part): boolean => only === null || only === part;
  const rows = isAskedFor('end-to-end') || isAskedFor('record') ? createRows(count, testbed.config.producer) : null;
  if (rows !== null) say(`${count} rows of ${Math.round(rows.meanBytes)} bytes on average`);
  const figures: Figures = {
    environment: readEnvironment(testbed),
    rows: rows === null ? null : { count, meanBytes: rows.meanBytes, meanTraceEntries: rows.meanTraceEntries },
    endToEnd: null,
    latency: null,
    recordCost: null,
    requests: null,
    health: null,
    thresholds: [],
  };
  // First, while no other process of the bench can disturb single calls.
  if (rows !== null && isAskedFor('record')) {
    figures.recordCost = await measureRecordCost(testbed, rows);
    figures.thresholds.push(...recordCostThresholds(figures.recordCost));
  }
  if (rows !== null && isAskedFor('end-to-end')) {
    const { results, fleet } = await measureEndToEnd(testbed, rows);
    figures.endToEnd = results;
    figures.latency = await measureLatency(testbed, fleet, rows, results.sluice.two.rowsPerSecond / 2);
    figures.thresholds.push(...endToEndThresholds(results), ...latencyThresholds(figures.latency));
  }
  if (isAskedFor('requests')) {
    figures.requests = await measureRequests(testbed, count);
    figures.thresholds.push(...requestThresholds(figures.requests));
  }
  if (isAskedFor('health')) {
    figures.health = await measureHealth(testbed, count);
    figures.thresholds.push(...healthThresholds(figures.health));
  }
  return figures;
}
