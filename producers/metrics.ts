import { Counter, Gauge, type Registry } from 'prom-client';
import { createExecutionSeries } from './execution-series.ts';
import { ScrapedHistogram } from './scraped-histogram.ts';

/** What an execution adds to the metrics. */
export interface Observation {
  realm: string | null | undefined;
  strategyType: string | null | undefined;
  status: string;
  errorCode: string | null | undefined;
  durationMs: number;
  nodesExecuted: number;
}

/**
 * The producer's metrics. The first four have the names, labels, bucket edges and the `unknown` rule of the system that
 * Sluice replaces, so that its dashboards and alerts go on working; the others are Sluice's own.
 */
export interface ProducerMetrics {
  observe(observation: Observation): void;
  dropped(realm: string | null | undefined, strategyType: string | null | undefined): void;
  sampledOut(): void;
  disabled(): void;
  sent(records: number): void;
  sendFailed(): void;
}

/** Seconds. 0.25 is the line above which a scoring event is visible to a user; alerts interpolate there. */
export const durationBucketsSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5];

/** What the gauges ask when they are scraped. */
export interface BufferDepth {
  records: number;
  bytes: number;
}

/**
 * Registers the producer's metrics.
 *
 * @param depth read at each scrape
 * @throws Error when the registry has them already: one observer for each registry
 */
export function createProducerMetrics(registry: Registry, depth: () => BufferDepth): ProducerMetrics {
  const series = createExecutionSeries(durationBucketsSeconds);
  const outcomes = { sent: 0, sampled_out: 0, disabled: 0, dropped: 0 };
  let sendFailures = 0;
  const registers = [registry];

  new ScrapedHistogram(
    {
      name: 'dsl_execution_duration_seconds',
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
    name: 'dsl_execution_nodes_total',
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
    name: 'dsl_execution_errors_total',
    help: 'Strategy executions that did not end ok, by error code',
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
    name: 'dsl_execution_log_dropped_total',
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
    name: 'sluice_producer_records_total',
    help: 'Records by how they left the producer: sent, sampled_out, disabled or dropped',
    labelNames: ['outcome'],
    registers,
    collect() {
      this.reset();
      for (const [outcome, records] of Object.entries(outcomes)) this.inc({ outcome }, records);
    },
  });
  new Counter({
    name: 'sluice_producer_send_failures_total',
    help: 'Attempts to add chunks to the queue that failed and are tried again',
    registers,
    collect() {
      this.reset();
      this.inc(sendFailures);
    },
  });
  new Gauge({
    name: 'sluice_producer_buffer_records',
    help: 'Records in the buffer, waiting or on their way to the queue',
    registers,
    collect() {
      this.set(depth().records);
    },
  });
  new Gauge({
    name: 'sluice_producer_buffer_bytes',
    help: 'Bytes of JSON in the buffer',
    registers,
    collect() {
      this.set(depth().bytes);
    },
  });

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
    sendFailed() {
      sendFailures += 1;
    },
  };
}
