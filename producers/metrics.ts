import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

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
  const duration = new Histogram({
    name: 'dsl_execution_duration_seconds',
    help: 'Wall-clock time of strategy executions, in seconds',
    labelNames: ['realm', 'strategy_type', 'status'],
    buckets: durationBucketsSeconds,
    registers: [registry],
  });
  const nodes = new Counter({
    name: 'dsl_execution_nodes_total',
    help: 'Nodes evaluated by strategy executions',
    labelNames: ['realm', 'strategy_type'],
    registers: [registry],
  });
  const errors = new Counter({
    name: 'dsl_execution_errors_total',
    help: 'Strategy executions that did not end ok, by error code',
    labelNames: ['realm', 'strategy_type', 'code'],
    registers: [registry],
  });
  const drops = new Counter({
    name: 'dsl_execution_log_dropped_total',
    help: 'Records that the execution log dropped before they reached the queue',
    labelNames: ['realm', 'strategy_type'],
    registers: [registry],
  });
  const outcomes = new Counter({
    name: 'sluice_producer_records_total',
    help: 'Records by how they left the producer: sent, sampled_out, disabled or dropped',
    labelNames: ['outcome'],
    registers: [registry],
  });
  const failures = new Counter({
    name: 'sluice_producer_send_failures_total',
    help: 'Attempts to add chunks to the queue that failed and are tried again',
    registers: [registry],
  });
  new Gauge({
    name: 'sluice_producer_buffer_records',
    help: 'Records in the buffer, waiting or on their way to the queue',
    registers: [registry],
    collect() {
      this.set(depth().records);
    },
  });
  new Gauge({
    name: 'sluice_producer_buffer_bytes',
    help: 'Bytes of JSON in the buffer',
    registers: [registry],
    collect() {
      this.set(depth().bytes);
    },
  });

  const series = cacheSeries((realm, strategyType, status) => ({
    duration: duration.labels({ realm, strategy_type: strategyType, status }),
    nodes: nodes.labels({ realm, strategy_type: strategyType }),
  }));
  const sampledOut = outcomes.labels({ outcome: 'sampled_out' });
  const disabled = outcomes.labels({ outcome: 'disabled' });

  return {
    observe({ realm, strategyType, status, errorCode, durationMs, nodesExecuted }) {
      const known = series(label(realm), label(strategyType), status);
      if (Number.isFinite(durationMs)) known.duration.observe(durationMs / 1_000);
      if (Number.isFinite(nodesExecuted) && nodesExecuted > 0) known.nodes.inc(nodesExecuted);
      if (status !== 'ok')
        errors.inc({ realm: label(realm), strategy_type: label(strategyType), code: label(errorCode) });
    },
    dropped(realm, strategyType) {
      drops.inc({ realm: label(realm), strategy_type: label(strategyType) });
      outcomes.inc({ outcome: 'dropped' });
    },
    sampledOut: () => sampledOut.inc(),
    disabled: () => disabled.inc(),
    sent: (records) => outcomes.inc({ outcome: 'sent' }, records),
    sendFailed: () => failures.inc(),
  };
}

/** Absent and empty label values are `unknown`. Anything but text is written as text, so that it cannot break a scrape. */
function label(value: unknown): string {
  if (value === null || value === undefined || value === '') return 'unknown';
  try {
    return String(value);
  } catch {
    return 'unknown';
  }
}

const maxCachedSeries = 10_000;

/** Finding a series by its labels costs prom-client a sort and a join at each call; the caller's thread pays for it. */
function cacheSeries<S>(create: (realm: string, strategyType: string, status: string) => S) {
  const cache = new Map<string, S>();
  return (realm: string, strategyType: string, status: string): S => {
    const key = `${realm.length} ${strategyType.length} ${realm}${strategyType}${status}`;
    let found = cache.get(key);
    if (found === undefined) {
      if (cache.size >= maxCachedSeries) cache.clear();
      found = create(realm, strategyType, status);
      cache.set(key, found);
    }
    return found;
  };
}
