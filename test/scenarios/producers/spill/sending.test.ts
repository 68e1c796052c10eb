import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toExecutionRecord } from '../../../../producers/executions/execution-record.ts';
import type { ObserverStats } from '../../../../producers/index.ts';
import { anExecution } from '../../../support/execution.ts';
import { createDirectory, until } from '../../../support/fixtures.ts';
import { anObserver } from '../../../support/observer.ts';
import { aDeadOwner, aSegment, filesIn, leaveSession } from '../../../support/spill.ts';
import { aTransport, failingTransport, silentTransport } from '../../../support/transports.ts';

const queueDir = 'test.execution-log';

/** A transport that fails as long as it is told to. */
function switchedTransport() {
  const state = { isAway: true };
  const transport = aTransport(async () => {
    if (state.isAway) throw new Error('away');
  });
  return { transport, state };
}

/** The data of a chunk of one record. */
const chunkData = JSON.stringify({
  ...{ v: 1, producer: 'p', epoch: 1, seq: 1 },
  records: [
    JSON.parse(toExecutionRecord(anExecution(), { nowMs: 0, sampleRate: 1, traceLimit: 200, maxBytes: 65_536 }).json),
  ],
});

function record(observer: { record(execution: ReturnType<typeof anExecution>): void }, count: number, label = 'a') {
  for (let index = 0; index < count; index += 1) observer.record(anExecution({ caseName: `${label}-${index}` }));
}

function expectBalanced(stats: ObserverStats, buffered: number): void {
  expect(stats.recorded).toBe(stats.sampledOut + stats.disabled + stats.dropped + stats.kept);
  expect(stats.kept).toBe(stats.sent + stats.spilled + buffered);
}

test('sending: a send that fails once touches no disk', async () => {
  const dir = await createDirectory();
  const transport = failingTransport(1);
  const { observer, value } = anObserver({ transport, spill: { dir } });
  record(observer, 10);
  expect(await observer.drain()).toEqual({ flushed: 10, unflushed: 0, spilled: 0 });
  expect(transport.attempts).toHaveLength(2);
  expect(await value('sluice_spill_records_total', { queue: 'execution-log', event: 'written' })).toBe(0);
});

test('sending: what failed twice, and what comes behind it, is on disk and not in memory', async () => {
  const dir = await createDirectory();
  const { transport, state } = switchedTransport();
  const { observer, value } = anObserver({ transport, chunkRecords: 10, maxWaitMs: 5, spill: { dir } });
  record(observer, 25);
  await until(() => observer.stats().spilled === 25);
  record(observer, 3, 'b');
  await until(() => observer.stats().spilled === 28);
  expect(observer.depth()).toEqual({ records: 0, bytes: 0 });
  expectBalanced(observer.stats(), 0);
  expect((await filesIn(dir)).size).toBeGreaterThan(0);

  state.isAway = false;
  await observer.drain();
  expect(observer.stats()).toMatchObject({ kept: 28, sent: 28, spilled: 0, dropped: 0 });
  expect(transport.records).toHaveLength(28);
  expect(await value('sluice_producer_records_total', { outcome: 'sent' })).toBe(28);
  expect((await filesIn(dir)).size).toBe(0);
});

test('sending: once Redis answers, live chunks go straight to it', async () => {
  const dir = await createDirectory();
  const { transport, state } = switchedTransport();
  const { observer, value } = anObserver({ transport, chunkRecords: 10, maxWaitMs: 5, spill: { dir } });
  record(observer, 200);
  await until(() => observer.stats().spilled === 200);
  state.isAway = false;
  await until(() => observer.stats().sent > 0);
  const written = await value('sluice_spill_records_total', { queue: 'execution-log', event: 'written' });
  record(observer, 50, 'b');
  await observer.drain();
  expect(observer.stats()).toMatchObject({ sent: 250, dropped: 0 });
  expect(await value('sluice_spill_records_total', { queue: 'execution-log', event: 'written' })).toBe(written);
});

test('sending: what is on disk is replayed in the order in which it was recorded', async () => {
  const dir = await createDirectory();
  const { transport, state } = switchedTransport();
  const { observer } = anObserver({ transport, chunkRecords: 5, maxWaitMs: 5, spill: { dir } });
  for (let round = 0; round < 6; round += 1) {
    record(observer, 25, `round-${round}`);
    await until(() => observer.stats().spilled === (round + 1) * 25);
  }
  state.isAway = false;
  await observer.drain();
  const names = Array.from({ length: 6 }, (_, round) =>
    Array.from({ length: 25 }, (_unused, index) => `round-${round}-${index}`),
  ).flat();
  expect(transport.records.map(({ caseName }) => caseName)).toEqual(names);
});

test('sending: a send without an answer is written to disk, and counted once when the answer comes', async () => {
  const dir = await createDirectory();
  const transport = silentTransport();
  const { observer } = anObserver({ transport, chunkRecords: 10, spill: { dir } });
  record(observer, 45);
  await until(() => observer.stats().spilled === 40);
  transport.goOn();
  expect(await observer.drain()).toMatchObject({ unflushed: 0, spilled: 0 });
  expect(observer.stats()).toMatchObject({ kept: 45, sent: 45, spilled: 0 });
  expect(transport.records).toHaveLength(45);
});

test('sending: what earlier sessions left is sent without a record of this one', async () => {
  const dir = await createDirectory();
  await leaveSession(join(dir, queueDir), 'web-1-1600000000000', await aDeadOwner(), [
    aSegment(['p.1.1', 'p.1.2'], chunkData),
  ]);
  const transport = aTransport();
  const { observer, value } = anObserver({ transport, spill: { dir } });
  await until(() => observer.stats().recovered === 2);
  expect(transport.attempts.flat().map(({ id }) => id)).toEqual(['p.1.1', 'p.1.2']);
  expect(observer.stats()).toMatchObject({ recorded: 0, kept: 0, sent: 0 });
  expect(await value('sluice_spill_records_total', { queue: 'execution-log', event: 'recovered' })).toBe(2);
});

test('sending: damage in what earlier sessions left is counted in bytes, and logged', async () => {
  const dir = await createDirectory();
  await leaveSession(join(dir, queueDir), 'web-1-1600000000000', await aDeadOwner(), [
    Buffer.concat([aSegment(['p.1.1'], chunkData), Buffer.from('garbage')]),
  ]);
  const { observer, value, lines } = anObserver({ transport: aTransport(), spill: { dir } });
  await until(async () => (await value('sluice_spill_lost_bytes_total', { queue: 'execution-log' })) === 7);
  expect(observer.stats()).toMatchObject({ recovered: 1, dropped: 0 });
  expect(lines).toMatchObject([{ count: 1, message: expect.stringContaining('damaged') }]);
});

test('sending: with a disk that refuses, everything is as without one, and is told once a second', async () => {
  const dir = join(await createDirectory(), 'file');
  await writeFile(dir, '');
  const { transport, state } = switchedTransport();
  const { observer, value, lines } = anObserver({ transport, bufferRecords: 30, chunkRecords: 10, spill: { dir } });
  record(observer, 40);
  await until(
    async () => (await value('sluice_spill_refusals_total', { queue: 'execution-log', reason: 'failed' })) > 3,
  );
  expect(observer.depth().records).toBe(30);
  expect(observer.stats()).toMatchObject({ kept: 30, dropped: 10, spilled: 0 });
  expect(lines.filter(({ message }) => message.includes('spill')).length).toBeLessThanOrEqual(2);
  state.isAway = false;
  expect(await observer.drain()).toEqual({ flushed: 30, unflushed: 0, spilled: 0 });
});

test('close: what the disk refuses is dropped and counted, what it takes is not', async () => {
  const dir = await createDirectory();
  const { transport } = switchedTransport();
  const { observer } = anObserver({ transport, chunkRecords: 10, spill: { dir, maxBytes: 60_000 } });
  record(observer, 200);
  const { flushed, unflushed, spilled } = await observer.close({ timeoutMs: 0 });
  expect(flushed).toBe(0);
  expect(spilled).toBeGreaterThan(0);
  expect(spilled + unflushed).toBe(200);
  expect(observer.stats()).toMatchObject({ recorded: 200, kept: spilled, dropped: unflushed, spilled });
});

test('accounts: whatever Redis and the disk do, every record is counted once and none arrives that is counted as lost', async () => {
  const step = fc.oneof(
    fc.record({ record: fc.integer({ min: 1, max: 40 }) }),
    fc.constantFrom('away' as const, 'back' as const, 'drain' as const),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 15 }),
      fc.constantFrom(3_000, 20_000, 1_000_000),
      fc.boolean(),
      async (steps, maxBytes, endsAway) => {
        const dir = await createDirectory();
        const { transport, state } = switchedTransport();
        const { observer } = anObserver({
          transport,
          bufferRecords: 60,
          chunkRecords: 7,
          maxWaitMs: 1,
          spill: { dir, maxBytes },
        });
        for (const one of steps) {
          if (one === 'away' || one === 'back') state.isAway = one === 'away';
          else if (one === 'drain') await observer.drain({ timeoutMs: 5 });
          else record(observer, one.record);
          expectBalanced(observer.stats(), observer.depth().records);
        }
        state.isAway = endsAway;
        if (!endsAway) expect(await observer.drain()).toMatchObject({ unflushed: 0, spilled: 0 });
        const { spilled } = await observer.close({ timeoutMs: 0 });
        const stats = observer.stats();
        expectBalanced(stats, 0);
        expect(stats.spilled).toBe(spilled);
        expect(transport.records).toHaveLength(stats.sent);
        if (!endsAway) expect((await filesIn(dir)).size).toBe(0);
      },
    ),
    { numRuns: 60 },
  );
});
