import { Registry } from 'prom-client';
import { inject, onTestFinished } from 'vitest';
import { createExecutionObserver, type ExecutionObserverOptions } from '../../producers/index.ts';
import { aClockOfANewMinute } from './new-minute.ts';
import { redisSettings } from './redis-target.ts';

/** An observer over the shared Redis that keeps every run, closed when its test has finished. */
export function startObserver(namespace: string, producer: ExecutionObserverOptions['producer'] = {}) {
  const observer = createExecutionObserver({
    redis: redisSettings(inject('redisUrl')),
    namespace,
    producer: { sampleRate: 1, ...producer },
    registry: new Registry(),
    logger: { warn: () => undefined },
    now: aClockOfANewMinute(),
  });
  onTestFinished(async () => {
    await observer.close();
  });
  return observer;
}
