import type { FastifyInstance } from 'fastify';
import { Gauge, Histogram, type Registry } from 'prom-client';
import { fromRedis } from './http/from-redis.ts';
import type { QueueWatch } from './queues/queue-watch.ts';

/** The console's Prometheus metrics. */
export function createConsoleMetrics(queueWatch: QueueWatch, registry: Registry) {
  const requests = new Histogram({
    name: 'sluice_console_request_seconds',
    help: 'Duration of requests to the console, by route and status code',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [registry],
  });
  new Gauge({
    name: 'sluice_queue_rate',
    help: 'Jobs per second that were added to or completed in a queue over the last minute. Absent while unknown',
    labelNames: ['queue', 'direction'] as const,
    registers: [registry],
    async collect() {
      const queues = await fromRedis(() => queueWatch.read()).catch(() => []);
      this.reset();
      for (const { queue, rates } of queues) {
        if (rates === null) continue;
        this.set({ queue, direction: 'arrival' }, rates.arrivalsPerSecond);
        this.set({ queue, direction: 'completion' }, rates.completionsPerSecond);
      }
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
