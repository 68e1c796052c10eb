import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { SenderStats } from './completed-request-sender.ts';
import type { BufferDepth } from './metrics.ts';

/** What is counted as it happens; everything else is read when it is scraped. */
export interface RequestMetrics {
  waited(seconds: number): void;
  sendFailed(): void;
}

/** What the metrics ask when they are scraped. */
export interface RequestMetricsSource {
  stats(): SenderStats;
  depth(): BufferDepth;
}

/** Seconds: from a send that just met a full buffer to one that sat out an outage. */
const waitBucketsSeconds = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300];

/**
 * Registers the metrics of a sender of completed requests.
 *
 * @param source asked at each scrape; it is made after its metrics
 * @throws Error when the registry has them already: one sender for each registry
 */
export function createRequestMetrics(registry: Registry, source: () => RequestMetricsSource): RequestMetrics {
  let sendFailures = 0;
  let waits = 0;
  const registers = [registry];

  new Counter({
    name: 'sluice_requests_sent_total',
    help: 'Calls of send, begin and trySend by how they ended: accepted, refused (no record, or too large), aborted, closed, or declined (trySend without room)',
    labelNames: ['result'],
    registers,
    collect() {
      this.reset();
      const { accepted, refused, aborted, closed, declined } = source().stats();
      for (const [result, count] of Object.entries({ accepted, refused, aborted, closed, declined }))
        this.inc({ result }, count);
    },
  });
  new Counter({
    name: 'sluice_request_records_total',
    help: 'Accepted records by what became of them: sent (in Redis) or dropped (left unsent by close, or damaged on disk)',
    labelNames: ['outcome'],
    registers,
    collect() {
      this.reset();
      const { sent, dropped } = source().stats();
      this.inc({ outcome: 'sent' }, sent);
      this.inc({ outcome: 'dropped' }, dropped);
    },
  });
  new Counter({
    name: 'sluice_request_send_failures_total',
    help: 'Attempts to add chunks of requests to the queue that failed and are tried again',
    registers,
    collect() {
      this.reset();
      this.inc(sendFailures);
    },
  });
  new Counter({
    name: 'sluice_request_send_waits_total',
    help: 'Sends that found the buffer full and waited',
    registers,
    collect() {
      this.reset();
      this.inc(waits + source().stats().waiting);
    },
  });
  const waitSeconds = new Histogram({
    name: 'sluice_request_send_wait_seconds',
    help: 'How long sends waited for room in the buffer, whatever ended the wait; those that need not wait are not in it',
    buckets: waitBucketsSeconds,
    registers,
  });
  new Gauge({
    name: 'sluice_request_sends_waiting',
    help: 'Sends that wait for room in the buffer',
    registers,
    collect() {
      this.set(source().stats().waiting);
    },
  });
  new Gauge({
    name: 'sluice_request_buffer_records',
    help: 'Records of requests in the buffer, waiting or on their way to the queue',
    registers,
    collect() {
      this.set(source().depth().records);
    },
  });
  new Gauge({
    name: 'sluice_request_buffer_bytes',
    help: 'Bytes of JSON of requests in the buffer',
    registers,
    collect() {
      this.set(source().depth().bytes);
    },
  });

  return {
    waited(seconds) {
      waits += 1;
      waitSeconds.observe(seconds);
    },
    sendFailed() {
      sendFailures += 1;
    },
  };
}
