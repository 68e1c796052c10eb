import { Registry } from 'prom-client';
import { createExecutionObserver } from '../../producers/index.ts';
import type { Config } from '../../shared/platform/config/config.ts';
import type { Database } from '../../shared/platform/postgres/database.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';
import { inTime } from '../pacing.ts';
import { closeTimeoutMs, type Traffic } from '../traffic.ts';
import type { Timeline } from './demo-events.ts';
import type { ScoringEvent } from './events.ts';
import { createInspector } from './inspect-executions.ts';
import { type Accounts, type Found, reconcile } from './reconcile-executions.ts';
import { createScoringService } from './scoring-service.ts';
import { demoStrategies } from './strategies.ts';

/** Runs of a scoring service, sent through an observer of their own. */
export function createExecutionTraffic(options: {
  config: Config;
  database: Database;
  redis: Redis;
  timeline: Timeline<ScoringEvent>;
  sampleRate: number;
  realms: readonly string[];
  producer: string;
  /** stops the service */
  signal: AbortSignal;
}): Traffic<Accounts> {
  const { config, database, redis, timeline, sampleRate, realms, producer, signal } = options;
  const { namespace } = config;
  const inspector = createInspector({ database, redis, namespace, realms, producer });
  const observer = createExecutionObserver({
    redis: config.redis,
    namespace,
    producer: { ...config.producer, sampleRate, name: producer },
    registry: new Registry(),
  });
  let failures = 0;
  let found: Found | null = null;
  return {
    total: timeline.total,
    done: () => observer.stats().recorded,
    describe() {
      const { kept, sampledOut, sent } = observer.stats();
      return found === null
        ? `${kept} kept, ${sampledOut} sampled out, ${sent} queued`
        : `${found.stored} stored, ${found.inFlight} in flight`;
    },
    async produce() {
      const score = createScoringService({ observer, strategies: demoStrategies, realms });
      const isOverloaded = () => observer.depth().records > config.producer.buffer.maxRecords / 2;
      for await (const event of inTime(timeline.events, { isOverloaded, signal })) if (!score(event)) failures += 1;
    },
    async flush() {
      await observer.close({ timeoutMs: closeTimeoutMs });
    },
    async isSettled() {
      found = await inspector.inspect();
      return found.inFlight === 0;
    },
    reconcile: async () => reconcile(observer.stats(), failures, found ?? (await inspector.inspect())),
    async close() {
      await observer.close({ timeoutMs: 0 });
      await inspector.close();
    },
  };
}
