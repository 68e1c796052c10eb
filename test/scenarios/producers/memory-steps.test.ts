import { expect, test } from 'vitest';
import { anExecution, failure } from '../../support/execution.ts';
import { createDirectory, until } from '../../support/fixtures.ts';
import { anObserver, expectBalanced, type ObserverChoices } from '../../support/observer.ts';
import { aTransport } from '../../support/transports.ts';

/** A transport whose servers are nearly full until the test says otherwise. */
function nearlyFull(isFull = true) {
  const transport = aTransport();
  const state = { isFull };
  const whySuccessesWait = () => (state.isFull ? new Error('nearly full') : null);
  return { state, transport: Object.assign(transport, { whySuccessesWait, readMemory: async () => undefined }) };
}

function setUp(choices: Partial<ObserverChoices> = {}) {
  const { state, transport } = nearlyFull();
  return { state, transport, ...anObserver({ transport, chunkRecords: 10, maxWaitMs: 1, ...choices }) };
}

const told = (lines: { message: string }[]) => lines.map(({ message }) => message.split(':')[0]);

test('memory steps: while servers are nearly full, failures are sent and ok runs wait, and then these are sent too', async () => {
  const { observer, state, transport, lines } = setUp();
  for (let index = 0; index < 25; index += 1) observer.record(index % 5 === 0 ? failure() : anExecution());
  await until(() => observer.stats().sent === 5);
  for (let index = 0; index < 5; index += 1) observer.record(failure());
  expect(await observer.flush({ timeoutMs: 700 })).toMatchObject({ unflushed: 20 });
  expect(transport.records.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 'error'));

  state.isFull = false;
  expect(await observer.flush()).toMatchObject({ flushed: 20, unflushed: 0 });
  expect(observer.stats()).toMatchObject({ sent: 30, dropped: 0 });
  expect(told(lines)).toEqual(['Redis uses more than 7/8 of what producers may fill', 'Redis has room again']);
});

test('memory steps: ok runs that wait are the first to be dropped, and no failure is', async () => {
  const { observer } = setUp({ bufferRecords: 20 });
  for (let index = 0; index < 30; index += 1) observer.record(anExecution());
  expect(observer.stats()).toMatchObject({ dropped: 10 });
  for (let index = 0; index < 20; index += 1) observer.record(failure());
  await until(() => observer.stats().sent === 20);
  expect(observer.stats()).toMatchObject({ kept: 20, dropped: 30 });
  expectBalanced(observer.stats());
});

test('memory steps: with a spill, ok runs go to disk and stay there, and failures are sent', async () => {
  const { observer, state, transport } = setUp({ spill: { dir: await createDirectory() } });
  for (let index = 0; index < 100; index += 1) observer.record(index % 10 === 0 ? failure() : anExecution());
  await until(() => observer.stats().sent === 10 && observer.stats().spilled === 90);
  // Longer than it takes to look again.
  expect(await observer.flush({ timeoutMs: 700 })).toMatchObject({ unflushed: 0, spilled: 90 });
  expect(transport.records).toHaveLength(10);

  state.isFull = false;
  expect(await observer.flush()).toMatchObject({ flushed: 90, spilled: 0 });
  expect(transport.records).toHaveLength(100);
});

test('memory steps: when the disk is full, ok runs wait in the buffer and hold up no failure', async () => {
  const { observer, state } = setUp({ spill: { dir: await createDirectory(), maxBytes: 1 } });
  for (let index = 0; index < 200; index += 1) observer.record(anExecution());
  for (let round = 1; round <= 3; round += 1) {
    for (let index = 0; index < 30; index += 1) observer.record(failure());
    await until(() => observer.stats().sent === round * 30);
  }
  expect(observer.depth().records).toBe(200);
  state.isFull = false;
  expect(await observer.flush()).toMatchObject({ flushed: 200, unflushed: 0 });
  expect(observer.stats()).toMatchObject({ sent: 290, spilled: 0, dropped: 0 });
});

test('memory steps: what an earlier session has left on disk waits as well', async () => {
  const dir = await createDirectory();
  const before = setUp({ spill: { dir } });
  for (let index = 0; index < 10; index += 1) before.observer.record(anExecution());
  expect(await before.observer.close({ timeoutMs: 0 })).toMatchObject({ unflushed: 0, spilled: 10 });

  const { observer, state, transport } = setUp({ spill: { dir } });
  observer.record(failure());
  await until(() => observer.stats().sent === 1);
  await observer.flush({ timeoutMs: 700 });
  expect(transport.records).toHaveLength(1);
  state.isFull = false;
  await until(() => observer.stats().recovered === 10);
});

test('memory steps: no ok run is sent before the memory is known, and none waits for a server that says nothing', async () => {
  const { transport } = nearlyFull(false);
  const { observer } = anObserver({
    transport: Object.assign(transport, { readMemory: () => new Promise<undefined>(() => undefined) }),
    chunkRecords: 10,
    maxWaitMs: 1,
  });
  observer.record(anExecution());
  observer.record(failure());
  await until(() => observer.stats().sent === 1);
  expect(transport.records).toMatchObject([{ status: 'error' }]);
  await until(() => observer.stats().sent === 2);
});
