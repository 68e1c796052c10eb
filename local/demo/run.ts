import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { createExecutionObserver, type ExecutionObserver } from '../../producers/index.ts';
import type { Config } from '../../shared/config.ts';
import { createDatabase } from '../../shared/database.ts';
import { createRedis } from '../../shared/redis.ts';
import type { DemoEvents } from './demo-events.ts';
import type { ScoringEvent } from './events.ts';
import { createInspector } from './inspect.ts';
import { inTime } from './pacing.ts';
import { createProgress } from './progress.ts';
import { type Accounts, reconcile } from './reconcile.ts';
import { demoStrategies } from './scoring/strategies.ts';
import { createScoringService } from './scoring-service.ts';

/** How the demo went. */
export interface DemoResult extends Accounts {
  /** from the first event to the last row, in seconds */
  seconds: number;
  /** the realms that the rows of this run carry */
  realms: string[];
}

const settleTimeoutMs = 120_000;
const closeTimeoutMs = 60_000;

/** Sends traffic through the real SDK, waits until it has settled, and accounts for every execution of it. */
export async function runDemo(
  config: Config,
  { events, total }: DemoEvents,
  { sampleRate }: { sampleRate: number },
  signal: AbortSignal,
): Promise<DemoResult> {
  const run = randomBytes(4).toString('hex');
  const realms = ['north', 'south', 'west'].map((name) => `demo-${run}-${name}`);
  const producer = `demo-${run}`;
  const database = createDatabase(config.database, 'sluice demo');
  const redis = createRedis(config.redisUrl ?? '', { role: 'worker', name: 'sluice:demo', logger: null });
  const inspector = createInspector({ database, redis, namespace: config.namespace, realms, producer });
  const observer = createExecutionObserver({
    redisUrl: config.redisUrl,
    namespace: config.namespace,
    producer: { ...config.producer, sampleRate, name: producer },
    registry: new Registry(),
  });
  const progress = createProgress(total);
  const startedAt = performance.now();
  try {
    const failures = await produce(events);
    progress.say('flushing the producer');
    await observer.close({ timeoutMs: closeTimeoutMs });
    const found = await settle();
    const seconds = Number(((performance.now() - startedAt) / 1_000).toFixed(2));
    return { ...reconcile(observer.stats(), failures, found), seconds, realms };
  } finally {
    progress.stop();
    await observer.close({ timeoutMs: 0 });
    await inspector.close();
    redis.disconnect();
    await database.$disconnect();
  }

  async function produce(source: AsyncIterable<ScoringEvent> | Iterable<ScoringEvent>): Promise<number> {
    const score = createScoringService({ observer, strategies: demoStrategies, realms });
    const isOverloaded = () => observer.depth().records > config.producer.buffer.maxRecords / 2;
    let failures = 0;
    for await (const event of inTime(source, { isOverloaded, signal })) {
      if (!score(event)) failures += 1;
      progress.update(observer.stats().recorded, describe(observer));
    }
    return failures;
  }

  /** Waits while something is on its way: for jobs of a killed worker, until their locks have run out. */
  async function settle() {
    const deadline = performance.now() + settleTimeoutMs;
    for (;;) {
      const found = await inspector.inspect();
      const stats = observer.stats();
      progress.update(stats.recorded, `${found.stored} stored, ${found.inFlight} in flight`);
      if (found.inFlight === 0 || performance.now() > deadline) return found;
      await sleep(100);
    }
  }
}

function describe(observer: ExecutionObserver): string {
  const { kept, sampledOut, sent } = observer.stats();
  return `${kept} kept, ${sampledOut} sampled out, ${sent} queued`;
}
