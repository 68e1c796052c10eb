import { Registry } from 'prom-client';
import { createCompletedRequestSender } from '../../producers/index.ts';
import type { Config } from '../../shared/platform/config/config.ts';
import type { Database } from '../../shared/platform/postgres/database.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';
import type { Timeline } from '../executions/demo-events.ts';
import { inTime } from '../pacing.ts';
import { createRandom } from '../random.ts';
import { closeTimeoutMs, type Traffic } from '../traffic.ts';
import { createGateway } from './gateway.ts';
import { createRequestInspector } from './inspect-requests.ts';
import { type RequestAccounts, reconcileRequests } from './reconcile-requests.ts';
import type { RequestEvent } from './request-events.ts';

/** What the gateway removes from request bodies: how to process a request is not part of the question. */
const stripRequestKeys = ['service_tier', 'background'];

/** Requests to models, through a gateway with a sender of its own. */
export function createRequestTraffic(options: {
  config: Config;
  database: Database;
  redis: Redis;
  timeline: Timeline<RequestEvent>;
  creators: readonly string[];
  producer: string;
  seed: number;
  /** stops the gateway */
  signal: AbortSignal;
}): Traffic<RequestAccounts> {
  const { config, database, redis, timeline, creators, producer, seed, signal } = options;
  const { namespace } = config;
  const inspector = createRequestInspector({ database, redis, namespace, creators, producer });
  const sender = createCompletedRequestSender({
    redis: config.redis,
    namespace,
    requests: config.requests,
    producer: { ...config.producer, name: producer },
    stripRequestKeys,
    registry: new Registry(),
  });
  const gateway = createGateway({ sender, creators, random: createRandom(seed), signal });
  let rows: number | null = null;
  return {
    total: timeline.total,
    done: gateway.arrived,
    describe: () => (rows === null ? `${sender.stats().sent} queued` : `${rows} rows`),
    async produce() {
      // The sender itself slows the gateway down: while its buffer is full, handling a request takes longer.
      for await (const event of inTime(timeline.events, { isOverloaded: () => false, signal }))
        await gateway.handle(event);
      await gateway.settled();
    },
    async flush() {
      await sender.close({ timeoutMs: closeTimeoutMs });
    },
    async isSettled() {
      const openJobs = await inspector.openJobs();
      rows = await inspector.countRows();
      return openJobs === 0;
    },
    async reconcile() {
      return reconcileRequests({ ...gateway.accounts(), dropped: sender.stats().dropped }, await inspector.inspect());
    },
    async close() {
      await sender.close({ timeoutMs: 0 });
      await inspector.close();
    },
  };
}
