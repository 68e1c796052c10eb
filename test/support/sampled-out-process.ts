import { setTimeout as sleep } from 'node:timers/promises';
import { createExecutionObserver, executionObserverOptionsFrom } from '../../producers/index.ts';
import { anExecution } from './execution.ts';
import { aClockOfShortMinutes } from './short-minutes.ts';

/** A service that keeps nothing of its runs for TEST_MINUTES short minutes, and then ends without closing its observer. */
const options = executionObserverOptionsFrom(process.env);
const observer = createExecutionObserver({
  ...options,
  producer: { ...options.producer, sampleRate: 0 },
  now: aClockOfShortMinutes(),
});
for (let minute = 0; minute < Number(process.env['TEST_MINUTES']); minute += 1) {
  observer.record(anExecution());
  await sleep(250);
}
console.log(JSON.stringify(observer.stats()));
