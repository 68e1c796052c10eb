import { createInterface } from 'node:readline';
import { createExecutionObserver, executionObserverOptionsFrom } from '../../producers/index.ts';
import { anExecution } from './execution.ts';
import { aClockOfShortMinutes } from './short-minutes.ts';

/**
 * A producer that records what it is told on standard input, a line of JSON each: `{"record":100,"label":"a"}` records executions with
 * the case names `a-0`, `a-1`, … and the ids that belong to them, `{"close":true}` closes it. It prints its own counts again and again.
 * With TEST_SHORT_MINUTES a minute of its clock takes 60 ms, so that its reports come as often.
 */
export interface BooksCommand {
  record?: number;
  label?: string;
  realm?: string;
  /** the ids of the executions; those of another label may be repeated */
  idsOf?: string;
  /** @default now */
  recordedAtMs?: number;
  close?: boolean;
}

const observer = createExecutionObserver({
  ...executionObserverOptionsFrom(process.env),
  ...(process.env['TEST_SHORT_MINUTES'] === undefined ? {} : { now: aClockOfShortMinutes() }),
  logger: { warn: () => undefined },
});

let done = 0;
const print = (more: object = {}): void => {
  console.log(JSON.stringify({ ...observer.stats(), waiting: observer.depth().records, done, ...more }));
};

/** The same for the same name. */
const idOf = (label: string, index: number): string =>
  `0197c2f0-0000-7000-8000-${Buffer.from(label).toString('hex').slice(0, 4).padStart(4, '0')}${index.toString(16).padStart(8, '0')}`;

const obey = async ({
  record = 0,
  label = 'record',
  realm = 'acme',
  idsOf = label,
  recordedAtMs,
  close,
}: BooksCommand) => {
  const time = recordedAtMs === undefined ? {} : { recordedAt: new Date(recordedAtMs) };
  for (let index = 0; index < record; index += 1)
    observer.record(anExecution({ id: idOf(idsOf, index), caseName: `${label}-${index}`, realmId: realm, ...time }));
  done += 1;
  if (close) {
    print({ closed: await observer.close({ timeoutMs: 2_000 }) });
    process.exit(0);
  }
  print();
};

let turn: Promise<void> = Promise.resolve();
createInterface({ input: process.stdin }).on('line', (line) => {
  turn = turn.then(() => obey(JSON.parse(line) as BooksCommand));
});
setInterval(print, 50);
print();
