import { generateEvents } from '../demo/executions/events.ts';
import { createScoringService } from '../demo/executions/scoring-service.ts';
import { demoStrategies } from '../demo/executions/strategies.ts';
import { uuidV7 } from '../producers/core/uuid-v7.ts';
import { toExecutionRecord } from '../producers/executions/execution-record.ts';
import type { Execution } from '../producers/index.ts';
import type { ExecutionRecord } from '../shared/contracts/execution-schema.ts';
import type { Config } from '../shared/platform/config/config.ts';

/** The rows that every contender stores: the same ids, times and contents, each in the form that it starts from. */
export interface Rows {
  count: number;
  /** the period after which rows repeat, except for id and time */
  period: number;
  /** of a row's JSON, in UTF-8 */
  meanBytes: number;
  /** the mean number of entries that are kept of a trace */
  meanTraceEntries: number;
  /** what the scoring service passes to record() */
  execution(index: number): Execution;
  /** what the SDK makes of it, and what the others store */
  record(index: number): ExecutionRecord;
  /** that record as text */
  json(index: number): string;
}

/** Runs that were really scored. More rows repeat them with other ids: a scoring service does not hold a million traces either. */
const distinctRuns = 5_000;
const seed = 1;

/**
 * Scores demo events with the demo's strategies and keeps what the service reports, cut to storable records by the SDK.
 *
 * @param untilMs the time after the newest row; it must be in the past, in a day whose partition exists
 */
export function createRows(count: number, producer: Config['producer'], untilMs: number = Date.now()): Rows {
  const runs = scoreEvents(Math.min(count, distinctRuns)).map((execution) => {
    const { json, bytes } = toExecutionRecord(execution, {
      nowMs: Date.now(),
      sampleRate: 1,
      traceLimit: producer.traceLimit,
      maxBytes: producer.recordMaxBytes,
    });
    const { id, recordedAt, ...rest } = JSON.parse(json) as ExecutionRecord;
    return { execution, rest, restJson: JSON.stringify(rest).slice(1), bytes };
  });
  const at = (index: number) => runs[index % runs.length] as (typeof runs)[number];

  // One per millisecond, all in the past, so that they are in partitions that a worker has created.
  const firstMs = untilMs - count;
  const keys = Array.from({ length: count }, (_, index) => ({
    id: uuidV7(firstMs + index),
    recordedAt: new Date(firstMs + index).toISOString(),
  }));
  const keyOf = (index: number) => keys[index] as (typeof keys)[number];
  // Prepared in advance: while the clock runs, the bench should cost its own process as little as possible.
  const executions = keys.map((key, index): Execution => ({ ...at(index).execution, ...key }));

  return {
    count,
    period: runs.length,
    meanBytes: mean(runs.map(({ bytes }) => bytes)),
    meanTraceEntries: mean(runs.map(({ rest }) => rest.trace?.length ?? 0)),
    execution: (index) => executions[index] as Execution,
    record: (index) => ({ ...keyOf(index), ...at(index).rest }),
    json(index) {
      const { id, recordedAt } = keyOf(index);
      return `{"id":"${id}","recordedAt":"${recordedAt}",${at(index).restJson}`;
    },
  };
}

/** The ids of the first rows. */
export function idsOf(rows: Pick<Rows, 'record'>, count: number): string[] {
  return Array.from({ length: count }, (_, index) => rows.record(index).id);
}

function scoreEvents(count: number): Execution[] {
  const executions: Execution[] = [];
  const score = createScoringService({
    observer: { record: (execution) => executions.push(execution) },
    strategies: demoStrategies,
    realms: ['north', 'south', 'west'],
  });
  for (const event of generateEvents({ count, seed, strategies: demoStrategies })) score(event);
  return executions;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
