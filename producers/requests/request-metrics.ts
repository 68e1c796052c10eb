import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { BufferDepth } from '../core/record-buffer.ts';
import { joinMetrics } from '../core/shared-metrics.ts';
import type { SenderStats } from './completed-request.ts';

/** Counts what happens; everything else is read at each scrape. */
export interface RequestMetrics {
  waited(seconds: number): void;
  sendFailed(): void;
  /**
   * Removes the metrics, unless another sender of the registry still uses them.
   *
   * @param stats the last counts of this sender; null if it could not be created
   */
  close(stats: SenderStats | null): void;
}

/** Read by the metrics at each scrape. */
export interface RequestMetricsSource {
  stats(): SenderStats;
  depth(): BufferDepth;
}

/** From a send that just met a full buffer to one that waited through an outage. */
const waitBucketsSeconds = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300];

/** The counts of all senders of one registry. */
interface RequestCounts {
  sendFailures: number;
  waits: number;
  sources: Set<() => RequestMetricsSource>;
  /** of senders that have closed */
  closed: SenderStats[];
}

/**
 * Registers the metrics of a sender of completed requests. Senders with one registry count into the same ones.
 *
 * @param source read at each scrape; it is created after its metrics
 * @throws Error when the registry already has a metric of the same name from other code
 */
export function createRequestMetrics(registry: Registry, source: () => RequestMetricsSource): RequestMetrics {
  const { state, leave } = joinMetrics(registry, 'requests', (registers) => {
    const counts: RequestCounts = { sendFailures: 0, waits: 0, sources: new Set(), closed: [] };
    return { counts, waitSeconds: createMetrics(registers, counts) };
  });
  const { counts, waitSeconds } = state;
  counts.sources.add(source);

  return {
    waited(seconds) {
      counts.waits += 1;
      waitSeconds.observe(seconds);
    },
    sendFailed() {
      counts.sendFailures += 1;
    },
    close(stats) {
      if (counts.sources.delete(source) && stats !== null) counts.closed = [addUp([...counts.closed, stats])];
      leave();
    },
  };
}

/** Creates all metrics, and returns the one that is told of each wait. */
function createMetrics(registers: Registry[], counts: RequestCounts): Histogram {
  const all = (): SenderStats => addUp([...counts.closed, ...[...counts.sources].map((source) => source().stats())]);
  const inAllBuffers = (kind: keyof BufferDepth): number =>
    [...counts.sources].reduce((sum, source) => sum + source().depth()[kind], 0);

  new Counter({
    name: 'sluice_requests_sent_total',
    help: 'Calls of send, begin and trySend by result: accepted, refused (no record, or too large), aborted, closed, or declined (trySend without room)',
    labelNames: ['result'],
    registers,
    collect() {
      this.reset();
      const { accepted, refused, aborted, closed, declined } = all();
      for (const [result, count] of Object.entries({ accepted, refused, aborted, closed, declined }))
        this.inc({ result }, count);
    },
  });
  new Counter({
    name: 'sluice_request_records_total',
    help: 'Accepted records by outcome: sent (in Redis), refused (by Redis, permanently) or dropped (unsent at close, or damaged on disk)',
    labelNames: ['outcome'],
    registers,
    collect() {
      this.reset();
      const { sent, rejected, dropped } = all();
      this.inc({ outcome: 'sent' }, sent);
      this.inc({ outcome: 'refused' }, rejected);
      this.inc({ outcome: 'dropped' }, dropped);
    },
  });
  new Counter({
    name: 'sluice_request_send_failures_total',
    help: 'Failed attempts to add chunks of requests to the queue; each is retried',
    registers,
    collect() {
      this.reset();
      this.inc(counts.sendFailures);
    },
  });
  new Counter({
    name: 'sluice_request_send_waits_total',
    help: 'Sends that found the buffer full and waited',
    registers,
    collect() {
      this.reset();
      this.inc(counts.waits + all().waiting);
    },
  });
  const waitSeconds = new Histogram({
    name: 'sluice_request_send_wait_seconds',
    help: 'How long sends waited for room in the buffer, however the wait ended; sends that did not wait are not counted',
    buckets: waitBucketsSeconds,
    registers,
  });
  new Gauge({
    name: 'sluice_request_sends_waiting',
    help: 'Sends that are waiting for room in the buffer',
    registers,
    collect() {
      this.set(all().waiting);
    },
  });
  new Gauge({
    name: 'sluice_request_buffer_records',
    help: 'Records of requests in the buffer, waiting or being sent to the queue',
    registers,
    collect() {
      this.set(inAllBuffers('records'));
    },
  });
  new Gauge({
    name: 'sluice_request_buffer_bytes',
    help: 'Bytes of JSON of requests in the buffer',
    registers,
    collect() {
      this.set(inAllBuffers('bytes'));
    },
  });
  return waitSeconds;
}

/** @param stats at least one */
function addUp([first, ...others]: readonly SenderStats[]): SenderStats {
  const total = { ...(first as SenderStats) };
  for (const stats of others)
    for (const name of Object.keys(stats) as (keyof SenderStats)[]) total[name] += stats[name];
  return total;
}
