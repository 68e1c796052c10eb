import { Counter, Gauge, type Registry } from 'prom-client';
import type { BufferDepth } from '../core/record-buffer.ts';
import { joinMetrics } from '../core/shared-metrics.ts';
import type { Observation } from './execution-series.ts';
import { createExecutionSeries, type SeriesLabels } from './execution-series.ts';
import { ScrapedHistogram } from './scraped-histogram.ts';

/**
 * The observer's metrics. The first four have the names, labels, bucket edges and the `unknown` rule of the system that Sluice
 * replaces, so that its dashboards and alerts keep working. The others are Sluice's own.
 */
export interface ExecutionMetrics {
  /** @returns the labels that it was counted under */
  observe(observation: Observation): SeriesLabels;
  dropped(realm: string | null | undefined, strategyType: string | null | undefined): void;
  sampledOut(): void;
  disabled(): void;
  sent(records: number): void;
  refused(records: number): void;
  sendFailed(): void;
  /** Removes the metrics, unless another observer of the registry still uses them. */
  close(): void;
}

/** Above 0.25 s a user notices a scoring event; alerts interpolate there. */
const durationBucketsSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5];

/** The most label sets of one metric. */
const defaultMaxSeries = 1_000;

/** The metrics whose number of series depends on the callers' values. */
const overflowing = {
  durations: 'dsl_execution_duration_seconds',
  nodes: 'dsl_execution_nodes_total',
  errors: 'dsl_execution_errors_total',
  dropped: 'dsl_execution_log_dropped_total',
} as const;

/** The counts of all observers of one registry. */
type ProducerCounts = ReturnType<typeof createCounts>;

function createCounts(maxSeries: number) {
  return {
    series: createExecutionSeries(durationBucketsSeconds, maxSeries),
    outcomes: { sent: 0, sampled_out: 0, disabled: 0, dropped: 0, refused: 0 },
    sendFailures: 0,
    depths: new Set<() => BufferDepth>(),
  };
}

/**
 * Registers the producer's metrics. Observers with one registry count into the same ones.
 *
 * @param depth read at each scrape
 * @param maxSeries label sets of one metric; that of the first observer counts
 * @throws Error when the registry already has a metric of the same name from other code
 */
export function createExecutionMetrics(
  registry: Registry,
  depth: () => BufferDepth,
  maxSeries: number = defaultMaxSeries,
): ExecutionMetrics {
  const { state: counts, leave } = joinMetrics(registry, 'executions', (registers) => {
    const made = createCounts(maxSeries);
    createMetrics(registers, made);
    return made;
  });
  const { outcomes, series } = counts;
  counts.depths.add(depth);

  return {
    observe: series.observe,
    dropped(realm, strategyType) {
      series.dropped(realm, strategyType);
      outcomes.dropped += 1;
    },
    sampledOut() {
      outcomes.sampled_out += 1;
    },
    disabled() {
      outcomes.disabled += 1;
    },
    sent(records) {
      outcomes.sent += records;
    },
    refused(records) {
      outcomes.refused += records;
    },
    sendFailed() {
      counts.sendFailures += 1;
    },
    close() {
      counts.depths.delete(depth);
      leave();
    },
  };
}

function createMetrics(registers: Registry[], counts: ProducerCounts): void {
  const { outcomes, series } = counts;
  const inAllBuffers = (kind: keyof BufferDepth): number =>
    [...counts.depths].reduce((sum, depth) => sum + depth()[kind], 0);

  new ScrapedHistogram(
    {
      name: overflowing.durations,
      help: 'Wall-clock time of strategy executions, in seconds',
      labelNames: ['realm', 'strategy_type', 'status'],
      buckets: durationBucketsSeconds,
      registers,
    },
    function* () {
      for (const { realm, strategyType, durations } of series.all()) {
        for (const [status, one] of durations)
          yield { labels: { realm, strategy_type: strategyType, status }, durations: one };
      }
    },
  );
  new Counter({
    name: overflowing.nodes,
    help: 'Nodes evaluated by strategy executions',
    labelNames: ['realm', 'strategy_type'],
    registers,
    collect() {
      this.reset();
      for (const { realm, strategyType, nodes } of series.all()) {
        if (nodes > 0) this.inc({ realm, strategy_type: strategyType }, nodes);
      }
    },
  });
  new Counter({
    name: overflowing.errors,
    help: 'Strategy executions that failed, by error code',
    labelNames: ['realm', 'strategy_type', 'code'],
    registers,
    collect() {
      this.reset();
      for (const { realm, strategyType, errors } of series.all()) {
        for (const [code, count] of errors) this.inc({ realm, strategy_type: strategyType, code }, count);
      }
    },
  });
  new Counter({
    name: overflowing.dropped,
    help: 'Records that the execution log dropped before they reached the queue',
    labelNames: ['realm', 'strategy_type'],
    registers,
    collect() {
      this.reset();
      for (const { realm, strategyType, dropped } of series.all()) {
        if (dropped > 0) this.inc({ realm, strategy_type: strategyType }, dropped);
      }
    },
  });
  new Counter({
    name: 'sluice_producer_series_overflow_total',
    help: 'Observations counted under the label other because the metric has reached its maximum number of series',
    labelNames: ['metric'],
    registers,
    collect() {
      this.reset();
      for (const [of, observations] of Object.entries(series.overflow))
        this.inc({ metric: overflowing[of as keyof typeof overflowing] }, observations);
    },
  });
  new Counter({
    name: 'sluice_producer_records_total',
    help: 'Records by how they left the producer: sent, sampled_out, disabled, dropped, or refused (by Redis, for good)',
    labelNames: ['outcome'],
    registers,
    collect() {
      this.reset();
      for (const [outcome, records] of Object.entries(outcomes)) this.inc({ outcome }, records);
    },
  });
  new Counter({
    name: 'sluice_producer_send_failures_total',
    help: 'Failed attempts to add chunks to the queue; each is retried',
    registers,
    collect() {
      this.reset();
      this.inc(counts.sendFailures);
    },
  });
  new Gauge({
    name: 'sluice_producer_buffer_records',
    help: 'Records in the buffer, waiting or being sent to the queue',
    registers,
    collect() {
      this.set(inAllBuffers('records'));
    },
  });
  new Gauge({
    name: 'sluice_producer_buffer_bytes',
    help: 'Bytes of JSON in the buffer',
    registers,
    collect() {
      this.set(inAllBuffers('bytes'));
    },
  });
}
