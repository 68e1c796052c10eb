import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { Bench } from 'tinybench';
import { createExecutionObserver, type Execution, type ExecutionObserver } from '../producers/index.ts';
import { createRedis, type Redis } from '../shared/redis.ts';
import type { Rows } from './rows.ts';
import type { Stage } from './stage.ts';

/** What one call of record() costs the thread that makes it, in µs. */
export interface RecordCostResult {
  name: string;
  medianUs: number;
  p99Us: number;
  calls: number;
}

/** The calls that have a bar. */
export const sampledOut = 'sampled out';
export const kept = 'kept, typical run';

/** CPU time inside of record(), in ms: what goes on between the calls is not counted. */
const measuredMs = 600;
const warmUpMs = 250;

/** Between turns the sender has its share of the thread, as in a service that handles requests. */
const callsPerTurn = 100;
/** Records on their way above which the bench waits: the buffer neither fills nor grows. */
const maxDepth = 1_000;
const waitMs = 1;
/** Nobody works this queue off, so it is thrown away now and then. */
const turnsPerCleaning = 100;

/** Redis database of the queue: the fleets' are in the first. */
const redisDatabase = 1;

/**
 * Measures record() call by call. The kept ones go the whole way into the real Redis, so their cost is that of a service
 * under load, with the sender's garbage and caches in it.
 *
 * @throws Error when a record was dropped
 */
export async function measureRecordCost(stage: Stage, rows: Rows): Promise<RecordCostResult[]> {
  const redisUrl = `${stage.redisUrl}/${redisDatabase}`;
  const redis = createRedis(redisUrl, { role: 'worker', name: 'sluice:bench', logger: null });
  const { producer } = stage.config;
  const observers: ExecutionObserver[] = [];
  const createObserver = (sampleRate: number, url: string | null): ExecutionObserver => {
    const observer = createExecutionObserver({
      redisUrl: url,
      producer: { ...producer, sampleRate },
      registry: new Registry(),
      // Below a rate of 1 nothing is kept, at 1 everything is.
      random: () => 0.999_999,
    });
    observers.push(observer);
    return observer;
  };
  const typical = typicalRun(rows);
  const small = withoutDetails(typical);
  const mixed = createCycle(rows);
  const bench = new Bench({ time: measuredMs, warmupTime: warmUpMs, throws: true });
  const add = (name: string, observer: ExecutionObserver, next: () => Execution): void => {
    let execution = next();
    bench.add(name, () => observer.record(execution), {
      async: false,
      beforeEach: () => {
        execution = next();
      },
      afterEach: createBreather(observer, redis),
      afterAll: async () => {
        await observer.drain();
        await redis.flushdb();
      },
    });
  };
  add('metrics alone', createObserver(1, null), () => typical);
  add(sampledOut, createObserver(0.05, redisUrl), () => typical);
  add('kept, small run', createObserver(1, redisUrl), () => small);
  add(kept, createObserver(1, redisUrl), () => typical);
  add('kept, the mix of runs', createObserver(1, redisUrl), mixed);
  try {
    await bench.run();
  } finally {
    for (const observer of observers) await observer.close();
    redis.disconnect();
  }
  const dropped = observers.reduce((sum, observer) => sum + observer.stats().dropped, 0);
  if (dropped > 0) throw new Error(`record(): ${dropped} records were dropped`);
  return bench.tasks.map(({ name, result }) => {
    if (result.state !== 'completed') throw new Error(`record(), ${name}: ${result.state}`);
    const { p50, p99, samplesCount } = result.latency;
    return { name, medianUs: p50 * 1_000, p99Us: p99 * 1_000, calls: samplesCount };
  });
}

/** After so many calls: lets the sender work, waits while it is behind, and keeps Redis from filling up. */
function createBreather(observer: ExecutionObserver, redis: Redis): () => Promise<void> | undefined {
  let calls = 0;
  const breathe = async (): Promise<void> => {
    await nextTurn();
    while (observer.depth().records > maxDepth) await sleep(waitMs);
    if (calls % (callsPerTurn * turnsPerCleaning) === 0) await redis.flushdb();
  };
  return () => {
    calls += 1;
    return calls % callsPerTurn === 0 ? breathe() : undefined;
  };
}

/** The run that went well whose record is nearest to the mean size. */
function typicalRun(rows: Rows): Execution {
  const sizes = Array.from({ length: rows.period }, (_, index) => ({
    execution: withoutKey(rows.execution(index)),
    distance: Math.abs(Buffer.byteLength(rows.json(index)) - rows.meanBytes),
  })).filter(({ execution }) => execution.status === 'ok');
  const [first, ...others] = sizes;
  if (first === undefined) throw new Error('no run went well');
  return others.reduce((nearest, next) => (next.distance < nearest.distance ? next : nearest), first).execution;
}

/** Id and time are record()'s own work here. */
function withoutKey({ id, recordedAt, ...execution }: Execution): Execution {
  return execution;
}

function withoutDetails({ trace, input, ...execution }: Execution): Execution {
  return execution;
}

function createCycle(rows: Rows): () => Execution {
  const executions = Array.from({ length: rows.period }, (_, index) => withoutKey(rows.execution(index)));
  let calls = 0;
  return () => {
    calls += 1;
    return executions[calls % executions.length] as Execution;
  };
}
