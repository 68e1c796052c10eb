import { randomBytes } from 'node:crypto';
import { setInterval as every, setImmediate as nextTurn } from 'node:timers/promises';
import { createExecutionObserver, executionObserverOptionsFrom } from '../../producers/index.ts';
import { anExecution } from './execution.ts';

/**
 * A producer as a process of its own. It records TEST_RECORDS executions with the case names `<TEST_LABEL>-000000` and
 * so on, as fast as its buffer takes them, prints its accounts as a line of JSON again and again, and closes on SIGTERM.
 */
const count = Number(process.env['TEST_RECORDS'] ?? 0);
/** random, so that compression saves next to nothing of it */
const inputBytes = Number(process.env['TEST_INPUT_BYTES'] ?? 0);
const label = process.env['TEST_LABEL'] ?? 'record';

const observer = createExecutionObserver({
  ...executionObserverOptionsFrom(process.env),
  logger: { warn: (fields, message) => console.error(message, fields) },
});
const room = Number(process.env['DSL_EXECUTION_LOG_QUEUE_MAXSIZE'] ?? 10_000) * 0.8;

const print = (more: object = {}): void => {
  const { rss } = process.memoryUsage();
  console.log(JSON.stringify({ ...observer.stats(), buffered: observer.depth().records, rss, ...more }));
};

process.once('SIGTERM', async () => {
  print({ closed: await observer.close({ timeoutMs: 200 }) });
  process.exit(0);
});

const record = async (): Promise<void> => {
  for (let index = 0; index < count; index += 1) {
    while (observer.depth().records >= room) await nextTurn();
    const input = inputBytes > 0 ? { input: randomBytes(inputBytes).toString('base64') } : {};
    observer.record(anExecution({ caseName: `${label}-${String(index).padStart(6, '0')}`, ...input }));
  }
};

void record();
for await (const _ of every(10)) print();
