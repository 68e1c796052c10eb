import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type BufferLimits, type Entry, RecordBuffer } from '../../../producers/core/record-buffer.ts';
import { anEntry } from '../../support/entry.ts';

const success = (bytes = 10) => anEntry({ bytes });
const failure = (bytes = 10) => anEntry({ bytes, failure: true });
const all: BufferLimits = { maxRecords: Number.POSITIVE_INFINITY, maxBytes: Number.POSITIVE_INFINITY };

function bufferOf(limits: Partial<BufferLimits>, entries: Entry[] = []): RecordBuffer {
  const buffer = new RecordBuffer({ ...all, ...limits });
  for (const entry of entries) expect(buffer.offer(entry)).toEqual([]);
  return buffer;
}

test('buffer: entries are taken in the order in which they came', () => {
  const entries = [success(), success(), success()];
  expect(bufferOf({}, entries).take(all)).toEqual(entries);
});

test('buffer: failures are taken before successes, each in their order', () => {
  const [s1, f1, s2, f2] = [success(), failure(), success(), failure()] as const;
  expect(bufferOf({}, [s1, f1, s2, f2]).take(all)).toEqual([f1, f2, s1, s2]);
});

test('buffer: an arriving success is turned away when the records are full', () => {
  const buffer = bufferOf({ maxRecords: 2 }, [success(), success()]);
  const late = success();
  expect(buffer.offer(late)).toEqual([late]);
  expect(buffer.held).toEqual({ records: 2, bytes: 20 });
});

test('buffer: an arriving success is turned away when the bytes are full', () => {
  const buffer = bufferOf({ maxBytes: 25 }, [success(), success()]);
  const late = success(6);
  expect(buffer.offer(late)).toEqual([late]);
  expect(buffer.offer(success(5))).toEqual([]);
  expect(buffer.held).toEqual({ records: 3, bytes: 25 });
});

test('buffer: with room for one, the first survives and the second is dropped', () => {
  for (const make of [success, failure]) {
    const [first, second] = [make(), make()];
    const buffer = bufferOf({ maxRecords: 1 }, [first]);
    expect(buffer.offer(second)).toEqual([second]);
    expect(buffer.take(all)).toEqual([first]);
  }
});

test('buffer: an arriving failure evicts the oldest success', () => {
  const [oldest, newer, failed] = [success(), success(), failure()];
  const buffer = bufferOf({ maxRecords: 2 }, [oldest, newer]);
  expect(buffer.offer(failed)).toEqual([oldest]);
  expect(buffer.take(all)).toEqual([failed, newer]);
});

test('buffer: a large failure evicts as many successes as it needs, and no more', () => {
  const [s1, s2, s3, failed] = [success(), success(), success(), failure(15)];
  const buffer = bufferOf({ maxBytes: 30 }, [s1, s2, s3]);
  expect(buffer.offer(failed)).toEqual([s1, s2]);
  expect(buffer.held).toEqual({ records: 2, bytes: 25 });
});

test('buffer: a failure that would not fit even then evicts nothing', () => {
  const [s1, f1, failed] = [success(), failure(), failure(25)];
  const buffer = bufferOf({ maxBytes: 30 }, [s1, f1]);
  expect(buffer.offer(failed)).toEqual([failed]);
  expect(buffer.take(all)).toEqual([f1, s1]);
});

test('buffer: an entry larger than the whole buffer is turned away', () => {
  for (const entry of [success(31), failure(31)]) expect(bufferOf({ maxBytes: 30 }).offer(entry)).toEqual([entry]);
});

test('buffer: a failure is never evicted by a failure', () => {
  const [f1, f2] = [failure(), failure()];
  const buffer = bufferOf({ maxRecords: 1 }, [f1]);
  expect(buffer.offer(f2)).toEqual([f2]);
});

test('buffer: taken entries keep their room and are never evicted', () => {
  const [taken, waiting, f1, f2] = [success(), success(), failure(), failure()];
  const buffer = bufferOf({ maxRecords: 2 }, [taken, waiting]);
  expect(buffer.take({ maxRecords: 1, maxBytes: 1_000 })).toEqual([taken]);
  expect(buffer.waiting).toEqual({ records: 1, bytes: 10 });
  expect(buffer.held).toEqual({ records: 2, bytes: 20 });
  expect(buffer.offer(f1)).toEqual([waiting]);
  expect(buffer.offer(f2)).toEqual([f2]);
});

test('buffer: released entries give their room back', () => {
  const [first, second] = [success(30), success(30)];
  const buffer = bufferOf({ maxBytes: 30, maxRecords: 1 }, [first]);
  const taken = buffer.take(all);
  expect(buffer.offer(second)).toEqual([second]);
  buffer.release(taken);
  expect(buffer.held).toEqual({ records: 0, bytes: 0 });
  expect(buffer.offer(second)).toEqual([]);
});

test('buffer: no more records are taken than asked for', () => {
  const entries = [success(), success(), success()];
  const buffer = bufferOf({}, entries);
  expect(buffer.take({ maxRecords: 2, maxBytes: 1_000 })).toEqual(entries.slice(0, 2));
  expect(buffer.take({ maxRecords: 2, maxBytes: 1_000 })).toEqual(entries.slice(2));
});

test('buffer: no more bytes are taken than asked for', () => {
  const entries = [success(10), success(10), success(1)];
  const buffer = bufferOf({}, entries);
  expect(buffer.take({ maxRecords: 10, maxBytes: 20 })).toEqual(entries.slice(0, 2));
});

test('buffer: an entry larger than asked for is taken alone', () => {
  const entries = [success(100), success(1)];
  const buffer = bufferOf({}, entries);
  expect(buffer.take({ maxRecords: 10, maxBytes: 20 })).toEqual(entries.slice(0, 1));
});

test('buffer: failures or successes alone can be taken, and the others keep their order', () => {
  const [s1, f1, s2, f2] = [success(1), failure(2), success(3), failure(4)] as const;
  const buffer = bufferOf({}, [s1, f1, s2, f2]);
  expect(buffer.waitingOf('failures')).toEqual({ records: 2, bytes: 6 });
  expect(buffer.waitingOf('successes')).toEqual({ records: 2, bytes: 4 });
  expect(buffer.take({ maxRecords: 1, maxBytes: 1_000 }, 'successes')).toEqual([s1]);
  expect(buffer.take(all, 'failures')).toEqual([f1, f2]);
  expect(buffer.waitingOf('failures')).toEqual({ records: 0, bytes: 0 });
  expect(buffer.take(all)).toEqual([s2]);
  expect(buffer.held).toEqual({ records: 4, bytes: 10 });
});

test('buffer: from an empty one nothing is taken', () => {
  expect(bufferOf({}).take(all)).toEqual([]);
});

test('buffer: order holds over many thousands of entries', () => {
  const entries = Array.from({ length: 5_000 }, () => success());
  const buffer = bufferOf({}, entries.slice(0, 2_500));
  const taken: Entry[] = [];
  for (const entry of entries.slice(2_500)) {
    taken.push(...buffer.take({ maxRecords: 2, maxBytes: 1_000 }));
    buffer.offer(entry);
  }
  taken.push(...buffer.take(all));
  expect(taken).toEqual(entries);
  expect(buffer.waiting).toEqual({ records: 0, bytes: 0 });
});

type Step =
  | { do: 'offer'; failure: boolean; bytes: number }
  | { do: 'take'; maxRecords: number; maxBytes: number }
  | { do: 'release' };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({ do: fc.constant('offer' as const), failure: fc.boolean(), bytes: fc.nat(40) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('take' as const),
        maxRecords: fc.integer({ min: 1, max: 4 }),
        maxBytes: fc.integer({ min: 1, max: 80 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('release' as const) }) },
  ),
  { maxLength: 80, size: 'max' },
);

const sumBytes = (entries: readonly Entry[]) => entries.reduce((sum, { bytes }) => sum + bytes, 0);

test('buffer: whatever happens to it, it keeps its bounds, loses nothing unseen, and gives up failures last', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 1, max: 120 }),
      steps,
      (maxRecords, maxBytes, sequence) => {
        const limits = { maxRecords, maxBytes };
        const buffer = new RecordBuffer(limits);
        let waiting: Entry[] = [];
        const batches: Entry[][] = [];
        const fates = { offered: 0, dropped: 0, released: 0 };

        for (const step of sequence) {
          if (step.do === 'offer') {
            const entry = anEntry(step);
            const heldBefore = [...waiting, ...batches.flat()];
            const dropped = buffer.offer(entry);
            const kept = [...waiting, entry].filter((one) => !dropped.includes(one));
            fates.offered += 1;
            fates.dropped += dropped.length;

            const fits = (held: readonly Entry[]) =>
              held.length < maxRecords && sumBytes(held) + entry.bytes <= maxBytes;
            const successes = waiting.filter((one) => !one.failure);
            const couldFit = fits(heldBefore.filter((one) => !successes.includes(one)));
            if (fits(heldBefore)) expect(dropped).toEqual([]);
            else if (!entry.failure || !couldFit) expect(dropped).toEqual([entry]);
            else {
              expect(dropped).toEqual(successes.slice(0, dropped.length));
              // One fewer would not have been enough.
              expect(fits(heldBefore.filter((one) => !dropped.slice(0, -1).includes(one)))).toBe(false);
            }
            waiting = kept;
          } else if (step.do === 'take') {
            const taken = buffer.take(step);
            expect(taken.length > 0).toBe(waiting.length > 0);
            expect(taken.length).toBeLessThanOrEqual(step.maxRecords);
            expect(taken.length === 1 || sumBytes(taken) <= step.maxBytes).toBe(true);
            for (const kind of [true, false]) {
              const ofKind = taken.filter((one) => one.failure === kind);
              expect(ofKind).toEqual(waiting.filter((one) => one.failure === kind).slice(0, ofKind.length));
            }
            waiting = waiting.filter((one) => !taken.includes(one));
            if (taken.length > 0) batches.push(taken);
          } else {
            const batch = batches.shift() ?? [];
            buffer.release(batch);
            fates.released += batch.length;
          }
          const held = [...waiting, ...batches.flat()];
          expect(buffer.waiting).toEqual({ records: waiting.length, bytes: sumBytes(waiting) });
          expect(buffer.held).toEqual({ records: held.length, bytes: sumBytes(held) });
          expect(held.length).toBeLessThanOrEqual(maxRecords);
          expect(sumBytes(held)).toBeLessThanOrEqual(maxBytes);
          expect(fates.offered).toBe(fates.dropped + fates.released + held.length);
        }
      },
    ),
    { numRuns: 500 },
  );
});
