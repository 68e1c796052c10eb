import { availableParallelism, cpus } from 'node:os';
import { say } from '../local/steps.ts';
import { endToEndBars, latencyBars, recordCostBars, requestBars } from './bars.ts';
import { measureEndToEnd } from './end-to-end.ts';
import { measureLatency } from './latency.ts';
import type { BenchOptions } from './options.ts';
import { measureRecordCost } from './record-cost.ts';
import type { Figures } from './report.ts';
import { measureRequests } from './requests/measure.ts';
import { createRows } from './rows.ts';
import type { Stage } from './stage.ts';

/**
 * Runs the parts that are asked for.
 *
 * @throws Error when a contender lost a row: then no figure counts
 */
export async function runBench(stage: Stage, { rows: count, only }: BenchOptions): Promise<Figures> {
  const rows = only === 'requests' ? null : createRows(count, stage.config.producer);
  if (rows !== null) say(`${count} rows of ${Math.round(rows.meanBytes)} bytes on average`);
  const figures: Figures = {
    environment: {
      cores: availableParallelism(),
      cpu: cpus()[0]?.model.trim() ?? 'unknown',
      node: process.versions.node,
      ...stage.versions,
    },
    rows: rows === null ? null : { count, meanBytes: rows.meanBytes, meanTraceEntries: rows.meanTraceEntries },
    endToEnd: null,
    latency: null,
    recordCost: null,
    requests: null,
    bars: [],
  };
  // First, while no other process of the bench is there to disturb single calls.
  if (rows !== null && only !== 'end-to-end') {
    figures.recordCost = await measureRecordCost(stage, rows);
    figures.bars.push(...recordCostBars(figures.recordCost));
  }
  if (rows !== null && only !== 'record') {
    const { results, fleet } = await measureEndToEnd(stage, rows);
    figures.endToEnd = results;
    figures.latency = await measureLatency(stage, fleet, rows, results.sluice.two.rowsPerSecond / 2);
    figures.bars.push(...endToEndBars(results), ...latencyBars(figures.latency));
  }
  if (only === null || only === 'requests') {
    figures.requests = await measureRequests(stage, count);
    figures.bars.push(...requestBars(figures.requests));
  }
  return figures;
}
