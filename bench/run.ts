import { availableParallelism, cpus } from 'node:os';
import { say } from '../dev/steps.ts';
import { endToEndBars, healthBars, latencyBars, recordCostBars, requestBars } from './bars.ts';
import { measureEndToEnd } from './end-to-end.ts';
import { measureHealth } from './health/measure.ts';
import { measureLatency } from './latency.ts';
import type { BenchOptions, Part } from './options.ts';
import { measureRecordCost } from './record-cost.ts';
import type { Figures } from './report.ts';
import { measureRequests } from './requests/measure.ts';
import { createRows } from './rows.ts';
import type { Testbed } from './testbed.ts';

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
    environment: {
      cores: availableParallelism(),
      cpu: cpus()[0]?.model.trim() ?? 'unknown',
      node: process.versions.node,
      ...testbed.versions,
    },
    rows: rows === null ? null : { count, meanBytes: rows.meanBytes, meanTraceEntries: rows.meanTraceEntries },
    endToEnd: null,
    latency: null,
    recordCost: null,
    requests: null,
    health: null,
    bars: [],
  };
  // First, while no other process of the bench can disturb single calls.
  if (rows !== null && isAskedFor('record')) {
    figures.recordCost = await measureRecordCost(testbed, rows);
    figures.bars.push(...recordCostBars(figures.recordCost));
  }
  if (rows !== null && isAskedFor('end-to-end')) {
    const { results, fleet } = await measureEndToEnd(testbed, rows);
    figures.endToEnd = results;
    figures.latency = await measureLatency(testbed, fleet, rows, results.sluice.two.rowsPerSecond / 2);
    figures.bars.push(...endToEndBars(results), ...latencyBars(figures.latency));
  }
  if (isAskedFor('requests')) {
    figures.requests = await measureRequests(testbed, count);
    figures.bars.push(...requestBars(figures.requests));
  }
  if (isAskedFor('health')) {
    figures.health = await measureHealth(testbed, count);
    figures.bars.push(...healthBars(figures.health));
  }
  return figures;
}
