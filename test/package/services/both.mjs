// One process with both builds in it: an app of ES modules, and a library of it that requires the SDK.
import { createRequire } from 'node:module';
import { createExecutionObserver, executionObserverOptionsFrom } from 'sluice';

const required = createRequire(import.meta.url)('sluice');
const options = executionObserverOptionsFrom(process.env);
const observers = [createExecutionObserver(options), required.createExecutionObserver(options)];
for (const [n, observer] of observers.entries())
  observer.record({
    strategyId: `${process.env.STRATEGY}-${n}`,
    strategyVersion: 1,
    strategyType: 'DSL_FULL',
    status: 'ok',
    durationMs: 1,
    nodesExecuted: 1,
  });
for (const observer of observers) await observer.close({ timeoutMs: 30_000 });
