import { Registry } from 'prom-client';
import { expect, onTestFinished } from 'vitest';
import {
  createExecutionObserver,
  type Execution,
  type ExecutionObserver,
  type ExecutionObserverOptions,
} from '../../producers/index.ts';
import { anExecution } from './execution.ts';
import { aClockOfANewMinute } from './new-minute.ts';
import { redisSettings } from './redis-target.ts';
import type { Place } from './worker-process.ts';

/** Executions that are being recorded at a steady rate through the real SDK. */
export interface SteadyLoad {
  /** the case names of the executions recorded so far, in order, each once */
  readonly names: readonly string[];
  readonly observer: ExecutionObserver;
  readonly registry: Registry;
  /** Records so many more at once. */
  add(count: number): void;
  /** Records no more, and resolves when Redis has acknowledged every record. */
  stop(): Promise<void>;
}

const turnMs = 20;

/**
 * Starts to record executions that can be told from each other by their case names. The buffer holds all of a test, so
 * none is dropped.
 */
export function startLoad(
  { redisUrl, namespace }: Pick<Place, 'redisUrl' | 'namespace'>,
  {
    perSecond,
    execution = {},
    producer = {},
    prefix = 'case',
  }: {
    perSecond: number;
    execution?: Partial<Execution>;
    producer?: ExecutionObserverOptions['producer'];
    /** of the case names: tells loads apart. @default case */
    prefix?: string;
  },
): SteadyLoad {
  const registry = new Registry();
  const observer = createExecutionObserver({
    redis: redisSettings(redisUrl),
    namespace,
    producer: { sampleRate: 1, buffer: { maxRecords: 1_000_000, maxBytes: 1_000_000_000 }, ...producer },
    registry,
    logger: { warn: () => undefined },
    now: aClockOfANewMinute(),
  });
  const names: string[] = [];
  const add = (count: number): void => {
    for (let left = count; left > 0; left -= 1) {
      const caseName = `${prefix}-${String(names.length).padStart(7, '0')}`;
      observer.record(anExecution({ ...execution, caseName }));
      names.push(caseName);
    }
  };
  let lastMs = performance.now();
  let owed = 0;
  const timer = setInterval(() => {
    const nowMs = performance.now();
    owed += ((nowMs - lastMs) / 1_000) * perSecond;
    lastMs = nowMs;
    add(Math.floor(owed));
    owed %= 1;
  }, turnMs);
  onTestFinished(async () => {
    clearInterval(timer);
    await observer.close({ timeoutMs: 0 });
  });
  return {
    names,
    observer,
    registry,
    add,
    async stop() {
      clearInterval(timer);
      expect(await observer.drain()).toMatchObject({ unflushed: 0 });
      expect(observer.stats()).toMatchObject({ recorded: names.length, sent: names.length, dropped: 0 });
    },
  };
}
