import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Execution } from '../../../producers/executions/execution.ts';
import { readSegmentFile } from '../../../producers/spill/segment-reader.ts';
import { failure, anExecution as ok } from '../../support/execution.ts';
import { createDirectory, until } from '../../support/fixtures.ts';
import { anObserver } from '../../support/observer.ts';
import { accountOf, droppedIn, readMinutes, recordsByMinute, sum } from '../../support/producer-books.ts';
import { filesIn } from '../../support/spill.ts';
import { aTransport, failingTransport, frozenTransport, silentTransport } from '../../support/transports.ts';

const minute = Date.UTC(2026, 0, 2, 3, 4) / 60_000;

type Act =
  | 'ok'
  | 'failure'
  | 'other realm'
  | 'no realm'
  | 'garbage'
  | 'disable'
  | 'enable'
  | 'turn'
  | 'drain'
  | 'close';
const acts = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom<Act>('ok', 'failure', 'other realm', 'no realm') },
    { weight: 3, arbitrary: fc.constantFrom<Act>('garbage', 'disable', 'enable', 'turn', 'drain') },
    { weight: 1, arbitrary: fc.constant<Act>('close') },
  ),
  { maxLength: 60, size: 'max' },
);

test('ledger: whatever happens, the last report and the heads of the chunks say what the stats say', async () => {
  await fc.assert(
    fc.asyncProperty(
      acts,
      fc.constantFrom('accepts', 'fails at times', 'always fails', 'is silent', 'is frozen'),
      fc.boolean(),
      fc.integer({ min: 1, max: 12 }),
      fc.constantFrom(0, 0.5, 1),
      fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
      async (sequence, mode, hasSpill, bufferRecords, sampleRate, numbers) => {
        const transport = {
          accepts: () => aTransport(),
          'fails at times': () => failingTransport(3),
          'always fails': () => failingTransport(Number.POSITIVE_INFINITY),
          'is silent': silentTransport,
          'is frozen': frozenTransport,
        }[mode]();
        const dir = hasSpill ? await createDirectory() : null;
        const { observer } = anObserver({
          transport,
          bufferRecords,
          chunkRecords: 3,
          settings: { sampleRate },
          random: () => numbers.next().value as number,
          ...(dir === null ? {} : { spill: { dir } }),
        });
        const perform: Record<Act, () => unknown> = {
          ok: () => observer.record(ok()),
          failure: () => observer.record(failure()),
          'other realm': () => observer.record(failure({ realmId: 'realm-ü' })),
          'no realm': () => observer.record(ok({ realmId: null })),
          garbage: () => observer.record(null as unknown as Execution),
          disable: () => observer.configure({ enabled: false }),
          enable: () => observer.configure({ enabled: true }),
          turn: () => new Promise((resolve) => setImmediate(resolve)),
          drain: () => observer.drain({ timeoutMs: 5 }),
          close: () => observer.close({ timeoutMs: 5 }),
        };
        for (const act of sequence) await perform[act]();
        const beforeClose = observer.stats().recorded;
        const wasClosed = sequence.includes('close');
        await observer.close({ timeoutMs: 5 });

        const stats = observer.stats();
        const { reports } = transport;
        const last = reports.at(-1);
        if (beforeClose === 0) {
          expect(reports).toEqual([]);
          return;
        }
        if (wasClosed || last === undefined) return;
        const { totals, waitingRecords } = last;
        const { recorded = 0, sampledOut = 0, disabled = 0, chunked = 0, sent = 0, refused = 0 } = totals;
        expect({ recorded, sampledOut, disabled, refused }).toEqual({
          ...{ recorded: stats.recorded, sampledOut: stats.sampledOut, disabled: stats.disabled },
          refused: stats.refused,
        });
        expect(recorded).toBe(sampledOut + disabled + droppedIn(totals) + waitingRecords + chunked);
        // What is cut off, or written to disk, after the last report.
        const elsewhere = stats.sent + stats.refused + stats.spilled + stats.takenOver;
        expect(stats.dropped).toBe(droppedIn(totals) + chunked + waitingRecords - elsewhere);
        expect(stats.sent).toBeGreaterThanOrEqual(sent);
        expect(last).toMatchObject({ isFinal: true, chunkedRecords: chunked });
        expect(sum(Object.values(readMinutes(reports, (counters) => counters.recorded ?? 0)))).toBe(recorded);

        const byId = new Map(transport.attempts.flat().map(({ id, data }) => [id, accountOf(data)]));
        const chunks = [...byId.values()].sort((a, b) => a.seq - b.seq);
        let before = 0;
        for (const [index, chunk] of chunks.entries()) {
          expect(chunk).toMatchObject({ seq: index + 1, before, from: 0, size: chunk.records.length });
          before += chunk.size;
        }
        const numbered = chunks.filter(({ seq }) => seq <= last.lastSeq);
        if (numbered.length < last.lastSeq) return;
        expect(sum(numbered.map(({ size }) => size))).toBe(chunked);
        expect(recordsByMinute(numbered)).toEqual(readMinutes(reports, (counters) => counters.chunked ?? 0));
      },
    ),
    { numRuns: 100 },
  );
}, 180_000);

test('ledger: a chunk says in which minute and for which realm each of its records was recorded', async () => {
  const transport = aTransport();
  const { observer } = anObserver({ transport, chunkRecords: 10 });
  for (const realmId of ['a', 'a', 'b', 'a', null, undefined, 'ü"\n']) observer.record(failure({ realmId }));
  await observer.drain();
  const [chunk] = transport.attempts.flat().map(({ data }) => accountOf(data));
  expect(chunk?.of).toEqual([
    ['a', minute, 2],
    ['b', minute, 1],
    ['a', minute, 1],
    [null, minute, 2],
    ['ü"\n', minute, 1],
  ]);
});

test('ledger: a chunk on disk keeps its head, and another session that replays it sends it as it is', async () => {
  const dir = await createDirectory();
  const first = failingTransport(Number.POSITIVE_INFINITY);
  const { observer } = anObserver({ transport: first, chunkRecords: 2, maxWaitMs: 5, spill: { dir } });
  for (let record = 0; record < 6; record += 1) observer.record(failure({ realmId: `realm-${record % 2}` }));
  await until(() => observer.stats().spilled === 6);
  const parts = await Promise.all(
    [...(await filesIn(dir))].filter(([name]) => name.endsWith('.seg')).map(([name, bytes]) => chunksIn(name, bytes)),
  );
  const onDisk = parts.flat();
  expect(onDisk.map(({ seq, before, size }) => [seq, before, size])).toEqual([
    [1, 0, 2],
    [2, 2, 2],
    [3, 4, 2],
  ]);
  await observer.close({ timeoutMs: 0 });
  // It knows that they are on disk, and not lost.
  expect(first.reports.at(-1)).toMatchObject({
    ...{ isFinal: true, lastSeq: 3, chunkedRecords: 6, spilledRecords: 6, unacknowledged: [[1, 3]] },
    totals: { recorded: 6, chunked: 6 },
  });

  const second = aTransport();
  const next = anObserver({ transport: second, spill: { dir } });
  await until(() => next.observer.stats().recovered === 6);
  const replayed = second.attempts.flat().map(({ id, data }) => ({ id, account: accountOf(data) }));
  expect(replayed.map(({ account }) => account)).toEqual(onDisk);
  expect(replayed.map(({ id }) => id)).toEqual(onDisk.map(({ id }) => id));
  await next.observer.close();
  // Nothing was recorded here.
  expect(second.reports).toEqual([]);

  async function chunksIn(name: string, bytes: number) {
    const found: ReturnType<typeof accountOf>[] = [];
    for await (const part of readSegmentFile(join(dir, name), bytes))
      if (part.kind === 'chunk') found.push(accountOf(part.chunk.data));
    return found;
  }
});

test('ledger: what is on disk and is replayed counts as sent in its minute', async () => {
  const dir = await createDirectory();
  const transport = failingTransport(2);
  const { observer } = anObserver({ transport, chunkRecords: 2, maxWaitMs: 5, spill: { dir } });
  for (let record = 0; record < 5; record += 1) observer.record(failure({ realmId: 'a' }));
  await observer.drain();
  expect(observer.stats()).toMatchObject({ sent: 5, spilled: 0 });
  await observer.close();
  expect(transport.reports.at(-1)).toMatchObject({
    unacknowledged: [],
    minutes: [[minute, 'a', { recorded: 5, chunked: 5, sent: 5 }]],
  });
});

test('ledger: an observer without a queue tells nothing, and one that is disabled tells that', async () => {
  const alone = anObserver({ transport: null });
  alone.observer.record(ok());
  await alone.observer.close();
  const transport = aTransport();
  const { observer } = anObserver({ transport, settings: { enabled: false } });
  observer.record(ok({ realmId: 'a' }));
  await observer.close();
  expect(transport.attempts).toEqual([]);
  expect(transport.reports).toMatchObject([
    { number: 1, isFinal: true, lastSeq: 0, minutes: [[minute, 'a', { recorded: 1, disabled: 1 }]] },
  ]);
});

test('ledger: of what close could not send, the last report tells what was in no chunk, and lists the chunks that may have arrived', async () => {
  const transport = silentTransport();
  const { observer } = anObserver({ transport, chunkRecords: 2, bufferRecords: 30 });
  for (let record = 0; record < 31; record += 1) observer.record(failure({ realmId: 'a' }));
  await until(() => transport.attempts.length === 2);
  expect(await observer.close({ timeoutMs: 20 })).toMatchObject({ unflushed: 30 });
  // Two sends of five chunks are under way.
  expect(transport.reports.at(-1)).toMatchObject({
    ...{ isFinal: true, lastSeq: 10, chunkedRecords: 20, waitingRecords: 0, unacknowledged: [[1, 10]] },
    totals: { recorded: 31, chunked: 20, dropped: { bufferFull: 1, unsent: 10 } },
  });
  expect(observer.stats()).toMatchObject({ recorded: 31, dropped: 31, sent: 0 });
});

test('ledger: what comes after close is dropped, and nobody is told any more', async () => {
  const transport = aTransport();
  const { observer } = anObserver({ transport });
  observer.record(failure());
  await observer.close();
  observer.record(failure());
  await observer.close();
  expect(observer.stats()).toMatchObject({ recorded: 2, sent: 1, dropped: 1 });
  expect(transport.reports.map(({ totals }) => totals)).toEqual([{ recorded: 1, chunked: 1, sent: 1 }]);
});
