import type { FastifyInstance } from 'fastify';
import { Gauge, Histogram, type Registry } from 'prom-client';
import { fromRedis } from './http/from-redis.ts';
import type { LedgerWatch } from './ledger-watch.ts';
import type { QueueWatch } from './queues/queue-watch.ts';
import { backlogOf, minWorkers } from './queues/scaling.ts';

/** The console's Prometheus metrics. */
export function createConsoleMetrics(
  { queueWatch, ledgerWatch }: { queueWatch: QueueWatch; ledgerWatch: LedgerWatch },
  registry: Registry,
) {
  const requests = new Histogram({
    name: 'sluice_console_request_seconds',
    help: 'Duration of requests to the console, by route and status code',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [registry],
  });
  const readQueues = () => fromRedis(() => queueWatch.read()).catch(() => []);
  new Gauge({
    name: 'sluice_queue_rate',
    help: 'Jobs per second that were added to or completed in a queue over the last minute. Absent while unknown',
    labelNames: ['queue', 'direction'] as const,
    registers: [registry],
    async collect() {
      this.reset();
      for (const { queue, rates } of await readQueues()) {
        if (rates === null) continue;
        this.set({ queue, direction: 'arrival' }, rates.arrivalsPerSecond);
        this.set({ queue, direction: 'completion' }, rates.completionsPerSecond);
      }
    },
  });
  // Workers tell the same of their queues. These are there also when no worker runs, for those who scale to zero.
  new Gauge({
    name: 'sluice_queue_backlog_jobs',
    help: 'Jobs of a queue that wait or are being worked on. Absent while Redis does not answer',
    labelNames: ['queue'] as const,
    registers: [registry],
    async collect() {
      this.reset();
      for (const { queue, ...reading } of await readQueues()) this.set({ queue }, backlogOf(reading));
    },
  });
  new Gauge({
    name: 'sluice_queue_paused',
    help: '1 while the queue is paused, else 0. Absent while Redis does not answer',
    labelNames: ['queue'] as const,
    registers: [registry],
    async collect() {
      this.reset();
      for (const { queue, isPaused } of await readQueues()) this.set({ queue }, Number(isPaused));
    },
  });
  new Gauge({
    name: 'sluice_queue_min_workers',
    help: '1 while jobs of the queue are unfinished or came in the last minute, and it is not paused, else 0. Absent while Redis does not answer',
    labelNames: ['queue'] as const,
    registers: [registry],
    async collect() {
      this.reset();
      for (const queue of await readQueues()) this.set({ queue: queue.queue }, minWorkers(queue));
    },
  });
  for (const { name, help, of } of ledgerGauges)
    new Gauge({
      name,
      help: `${help}. Of the last 24 hours, read about once a minute. Absent while unknown`,
      labelNames: ['queue'] as const,
      registers: [registry],
      collect() {
        this.reset();
        for (const found of ledgerWatch.latest()) this.set({ queue: found.queue }, found[of]);
      },
    });
  return {
    /** Times all requests of a server. Labelled by route, never by address: there is no limit to the number of addresses. */
    observe(app: FastifyInstance): void {
      app.addHook('onResponse', async ({ method, routeOptions }, reply) => {
        const route = routeOptions.url ?? 'none';
        requests.observe({ method, route, status: String(reply.statusCode) }, reply.elapsedTime / 1_000);
      });
    },
  };
}

const ledgerGauges = [
  {
    name: 'sluice_ledger_missing_records',
    help: 'Records that Redis had, and that are neither there nor stored, by the numbers of their chunks',
    of: 'missing',
  },
  {
    name: 'sluice_ledger_uncertain_records',
    help: 'The most records that may be lost with producers that ended without a word',
    of: 'uncertainUpTo',
  },
  {
    name: 'sluice_ledger_unexplained_records',
    help: 'The difference between what was recorded and what the ledger finds, as a check of the counting itself: it must be 0',
    of: 'unexplained',
  },
] as const;
