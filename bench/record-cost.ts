import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { Bench } from 'tinybench';
import {
  createExecutionObserver,
  type Execution,
  type ExecutionObserver,
  type RedactOptions,
} from '../producers/index.ts';
import { createRedis, type Redis } from '../shared/platform/redis/redis.ts';
import { redisAt } from '../shared/platform/redis/redis-target.ts';
import type { Rows } from './rows.ts';
import { median } from './statistics.ts';
import type { Testbed } from './testbed.ts';

/** What one call of record() costs the calling thread, in µs. */
export interface RecordCostResult {
  name: string;
  /** each the median over the rounds */
  medianUs: number;
  p99Us: number;
  /** the median of the fastest round: the cost while the rest of the machine is quiet */
  quietestUs: number;
  /** over all rounds */
  calls: number;
}

/** The cases that have a threshold. */
export const sampledOut = 'sampled out';
export const kept = 'kept, typical run';

/** Rules as a service may have them: names anywhere, a field that is hashed, and what is found in all texts. */
const someRules: RedactOptions = {
  key: 'a key of this bench alone',
  rules: {
    rules: [
      { do: 'mask', at: ['**.password', '**.token', 'input.user.email'] },
      { do: 'hash', at: 'externalUserId' },
      { do: 'mask', find: ['email', 'creditCard', 'iban'] },
    ],
  },
};
/** The same without what is found in texts, and with paths that lead to one place each. */
const narrowRules: RedactOptions = {
  rules: { rules: [{ do: 'mask', at: ['input.user.email', 'trace[*].value.ssn'] }] },
};

/** Each round goes through all cases, so that a busy moment of the machine does not affect one of them alone. */
const rounds = 3;

/** Time inside record() in one round, in ms: what happens between the calls does not count. */
const measuredMs = 250;
const warmUpMs = 100;

/** Between turns the sender gets its share of the thread, as in a service that handles requests. */
const callsPerTurn = 100;
/** The number of unsent records at which the bench waits, so that the buffer neither fills nor grows. */
const maxDepth = 1_000;
const waitMs = 1;
/** Nobody processes this queue, so it is emptied now and then. */
const turnsPerCleaning = 100;

/** Redis database of the queue: the fleets use the first one. */
const redisDatabase = 1;

interface Case {
  name: string;
  observer: ExecutionObserver;
  next(): Execution;
}

/**
 * Measures record() call by call. Kept records go all the way into the real Redis, so that the cost is that of a service under load,
 * with the sender's garbage and caches.
 *
 * @throws Error if a record was dropped
 */
export async function measureRecordCost(testbed: Testbed, rows: Rows): Promise<RecordCostResult[]> {
  const redisUrl = `${testbed.redisUrl}/${redisDatabase}`;
  const redis = createRedis(redisAt(redisUrl), { role: 'worker', name: 'sluice:bench', logger: null });
  const observe = (sampleRate: number, url: string | null, redact: RedactOptions | null = null): ExecutionObserver =>
    createExecutionObserver({
      redisUrl: url,
      producer: { ...testbed.config.producer, sampleRate },
      redact,
      registry: new Registry(),
      // At a rate of 1 everything is kept; below it, no successful run.
      random: () => 0.999_999,
      // Drops are checked at the end; without a URL nothing is stored, by design.
      logger: { warn: () => undefined },
    });
  const typical = typicalRun(rows);
  const small = withoutDetails(typical);
  const cases: Case[] = [
    { name: 'metrics alone', observer: observe(1, null), next: () => typical },
    { name: sampledOut, observer: observe(0.05, redisUrl), next: () => typical },
    { name: 'kept, small run', observer: observe(1, redisUrl), next: () => small },
    { name: kept, observer: observe(1, redisUrl), next: () => typical },
    { name: 'kept, the mix of runs', observer: observe(1, redisUrl), next: createCycle(rows) },
    {
      name: 'kept, typical run, with rules for paths',
      observer: observe(1, redisUrl, narrowRules),
      next: () => typical,
    },
    { name: 'kept, typical run, with rules for texts', observer: observe(1, redisUrl, someRules), next: () => typical },
  ];
  const measured: Measured[][] = [];
  try {
    for (let round = 0; round < rounds; round += 1) measured.push(await measureRound(cases, redis));
  } finally {
    for (const { observer } of cases) await observer.close();
    redis.disconnect();
  }
  const dropped = cases.reduce((sum, { observer }) => sum + observer.stats().dropped, 0);
  if (dropped > 0) throw new Error(`record(): ${dropped} records were dropped`);
  return cases.map(({ name }, index) =>
    summarise(
      name,
      measured.flatMap((round) => round[index] ?? []),
    ),
  );
}

interface Measured {
  medianUs: number;
  p99Us: number;
  calls: number;
}

async function measureRound(cases: readonly Case[], redis: Redis): Promise<Measured[]> {
  const bench = new Bench({ time: measuredMs, warmupTime: warmUpMs, throws: true });
  for (const { name, observer, next } of cases) {
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
  }
  await bench.run();
  return bench.tasks.map(({ name, result }) => {
    if (result.state !== 'completed') throw new Error(`record(), ${name}: ${result.state}`);
    const { p50, p99, samplesCount } = result.latency;
    return { medianUs: p50 * 1_000, p99Us: p99 * 1_000, calls: samplesCount };
  });
}

function summarise(name: string, measured: readonly Measured[]): RecordCostResult {
  const medians = measured.map(({ medianUs }) => medianUs);
  return {
    name,
    medianUs: median(medians),
    p99Us: median(measured.map(({ p99Us }) => p99Us)),
    quietestUs: Math.min(...medians),
    calls: measured.reduce((sum, { calls }) => sum + calls, 0),
  };
}

/** After this many calls: lets the sender work, waits while it is behind, and keeps Redis from filling up. */
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

/** The successful run whose record is nearest to the mean size. */
function typicalRun(rows: Rows): Execution {
  const candidates = Array.from({ length: rows.period }, (_, index) => ({
    execution: withoutKey(rows.execution(index)),
    distance: Math.abs(Buffer.byteLength(rows.json(index)) - rows.meanBytes),
  })).filter(({ execution }) => execution.status === 'ok');
  const [first, ...others] = candidates;
  if (first === undefined) throw new Error('no run went well');
  return others.reduce((nearest, next) => (next.distance < nearest.distance ? next : nearest), first).execution;
}

/** Here, creating the id and reading the clock is record()'s own work. */
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
