import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  type BatchEntry,
  type BatchLimits,
  bytesOfJson,
  createBatcher,
  type WriteBatch,
} from '../../../workers/ingest/batcher.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const entry = (name: string, records = 1): BatchEntry => ({ json: JSON.stringify([name]), records });
const nameOf = ({ json }: BatchEntry): string => JSON.parse(json)[0];
const stored: WriteBatch = async (entries) => entries.map(() => null);

/** Lets everything run that waits for nothing but its turn. */
const settle = async (): Promise<void> => {
  await new Promise((resolve) => setImmediate(resolve));
  await vi.advanceTimersByTimeAsync(0);
};

/** A batcher, and the names of the entries in each batch that it wrote, in order. */
function batcherOf(limits: Partial<BatchLimits> = {}, write: WriteBatch = stored) {
  const batches: string[][] = [];
  const batcher = createBatcher({
    bytesOf: bytesOfJson,
    limits: { maxRecords: 100, maxBytes: 100_000, maxWaitMs: 10, maxInFlight: 100, ...limits },
    write: (entries) => {
      batches.push(entries.map(nameOf));
      return write(entries);
    },
  });
  return { batcher, batches };
}

/** A writer whose batches end only when the test says so. */
function gatedWriter() {
  const gates: PromiseWithResolvers<(Error | null)[]>[] = [];
  const write: WriteBatch = () => {
    const breaker = Promise.withResolvers<(Error | null)[]>();
    gates.push(breaker);
    return breaker.promise;
  };
  return { gates, write };
}

test('batcher: entries of many jobs become one batch, in the order in which they came', async () => {
  const { batcher, batches } = batcherOf();
  const added = ['a', 'b', 'c'].map((name) => batcher.add(entry(name)));
  expect(batches).toEqual([]);
  await vi.advanceTimersByTimeAsync(10);
  expect(batches).toEqual([['a', 'b', 'c']]);
  await expect(Promise.all(added)).resolves.toEqual([undefined, undefined, undefined]);
});

test('batcher: nothing waits while the database is idle: what is added in one turn is written at its end', async () => {
  const { gates, write } = gatedWriter();
  const { batcher, batches } = batcherOf({ maxWaitMs: 60_000 }, write);
  for (const name of ['a', 'b']) void batcher.add(entry(name));
  expect(batches).toEqual([]);
  await settle();
  expect(batches).toEqual([['a', 'b']]);
  for (const name of ['c', 'd']) void batcher.add(entry(name));
  await settle();
  expect(batches).toHaveLength(1);
  gates[0]?.resolve([null, null]);
  await settle();
  expect(batches).toEqual([
    ['a', 'b'],
    ['c', 'd'],
  ]);
  expect(vi.getTimerCount()).toBe(0);
});

test('batcher: while a batch is in flight, the next one is written when its first entry has waited long enough', async () => {
  const { gates, write } = gatedWriter();
  const { batcher, batches } = batcherOf({ maxWaitMs: 10 }, write);
  void batcher.add(entry('in flight'));
  await settle();
  void batcher.add(entry('a'));
  await vi.advanceTimersByTimeAsync(6);
  void batcher.add(entry('b'));
  await vi.advanceTimersByTimeAsync(3);
  expect(batches).toEqual([['in flight']]);
  await vi.advanceTimersByTimeAsync(1);
  expect(batches).toEqual([['in flight'], ['a', 'b']]);
  void batcher.add(entry('c'));
  await vi.advanceTimersByTimeAsync(9);
  expect(batches).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(1);
  expect(batches).toEqual([['in flight'], ['a', 'b'], ['c']]);
  expect(gates).toHaveLength(3);
});

test('batcher: while no more may be in flight, the next batch grows, until it is full or one of them ends', async () => {
  const { gates, write } = gatedWriter();
  const { batcher, batches } = batcherOf({ maxRecords: 4, maxWaitMs: 10, maxInFlight: 2 }, write);
  const addSlowly = async (...names: string[]): Promise<void> => {
    for (const name of names) {
      void batcher.add(entry(name));
      await vi.advanceTimersByTimeAsync(10);
    }
  };
  await addSlowly('a', 'b', 'c', 'd');
  expect(batches).toEqual([['a'], ['b']]);
  gates[0]?.resolve([null]);
  await settle();
  expect(batches).toEqual([['a'], ['b'], ['c', 'd']]);
  await addSlowly('e', 'f', 'g', 'h', 'i');
  gates[1]?.resolve([null]);
  await settle();
  expect(batches.slice(3)).toEqual([['e', 'f', 'g', 'h']]);
  gates[2]?.resolve([null, null]);
  await settle();
  expect(batches.slice(3)).toEqual([['e', 'f', 'g', 'h'], ['i']]);
});

test('batcher: a full batch, before its age limit, is written at once', () => {
  const { batcher, batches } = batcherOf({ maxRecords: 5 });
  void batcher.add(entry('a', 2));
  void batcher.add(entry('b', 3));
  expect(batches).toEqual([['a', 'b']]);
  expect(vi.getTimerCount()).toBe(0);
});

test('batcher: an entry that would make a batch too large begins the next one', () => {
  const { batcher, batches } = batcherOf({ maxRecords: 5 });
  void batcher.add(entry('a', 3));
  void batcher.add(entry('b', 3));
  expect(batches).toEqual([['a']]);
  batcher.drain();
  expect(batches).toEqual([['a'], ['b']]);
});

test('batcher: a batch has no more bytes than its limit', () => {
  const { batcher, batches } = batcherOf({ maxBytes: 12 });
  // Five bytes each.
  for (const name of ['a', 'b', 'c', 'd', 'e']) void batcher.add(entry(name));
  batcher.drain();
  expect(batches).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
});

test('batcher: bytes are those of UTF-8', () => {
  const { batcher, batches } = batcherOf({ maxBytes: 12 });
  // Seven bytes each, five characters.
  for (const name of ['漢', '字']) void batcher.add(entry(name));
  batcher.drain();
  expect(batches).toEqual([['漢'], ['字']]);
});

test('batcher: an entry larger than any batch is written alone', () => {
  const { batcher, batches } = batcherOf({ maxRecords: 5 });
  void batcher.add(entry('small'));
  void batcher.add(entry('large', 50));
  void batcher.add(entry('next'));
  batcher.drain();
  expect(batches).toEqual([['small'], ['large'], ['next']]);
});

test('batcher: no more batches are in flight than allowed, and the next one starts when one ends', async () => {
  const { gates, write } = gatedWriter();
  const { batcher, batches } = batcherOf({ maxRecords: 1, maxInFlight: 2 }, write);
  for (const name of ['a', 'b', 'c', 'd']) void batcher.add(entry(name));
  await settle();
  expect(batches).toEqual([['a'], ['b']]);
  gates[1]?.resolve([null]);
  await settle();
  expect(batches).toEqual([['a'], ['b'], ['c']]);
  gates[0]?.resolve([null]);
  gates[2]?.resolve([null]);
  await settle();
  expect(batches).toEqual([['a'], ['b'], ['c'], ['d']]);
});

test('batcher: an entry is settled by the end of its own batch, not of an earlier one', async () => {
  const { gates, write } = gatedWriter();
  const { batcher } = batcherOf({ maxRecords: 1 }, write);
  const [first, second] = [vi.fn(), vi.fn()];
  void batcher.add(entry('a')).then(first);
  void batcher.add(entry('b')).then(second);
  gates[1]?.resolve([null]);
  await settle();
  expect(second).toHaveBeenCalledOnce();
  expect(first).not.toHaveBeenCalled();
  gates[0]?.resolve([null]);
  await settle();
  expect(first).toHaveBeenCalledOnce();
});

test('batcher: each entry has its own outcome', async () => {
  const bad = new Error('bad row');
  const { batcher } = batcherOf({}, async (entries) => entries.map((one) => (nameOf(one) === 'b' ? bad : null)));
  const added = Promise.allSettled(['a', 'b', 'c'].map((name) => batcher.add(entry(name))));
  batcher.drain();
  expect(await added).toEqual([
    { status: 'fulfilled', value: undefined },
    { status: 'rejected', reason: bad },
    { status: 'fulfilled', value: undefined },
  ]);
});

test.each<[how: string, write: WriteBatch, message: string]>([
  ['rejects', () => Promise.reject(new Error('database is away')), 'database is away'],
  ['throws', throwing(new Error('at once')), 'at once'],
  ['throws text', throwing('just words'), 'just words'],
])('batcher: a writer that %s fails all entries of its batch, and no other', async (_how, write, message) => {
  let calls = 0;
  const { batcher } = batcherOf({ maxRecords: 2 }, (entries) => {
    calls += 1;
    return calls === 1 ? write(entries) : stored(entries);
  });
  const added = await Promise.allSettled(['a', 'b', 'c', 'd'].map((name) => batcher.add(entry(name))));
  expect(added.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled', 'fulfilled']);
  expect(added[0]).toMatchObject({ reason: expect.objectContaining({ message }) });
  expect(batcher.heldRecords).toBe(0);
});

function throwing(value: unknown): WriteBatch {
  return () => {
    throw value;
  };
}

test('batcher: a writer that throws what is no text, and cannot be made one, fails its entries all the same', async () => {
  const { batcher } = batcherOf({ maxRecords: 1 }, throwing(Object.create(null)));
  await expect(batcher.add(entry('a'))).rejects.toBeInstanceOf(Error);
});

test('batcher: an entry that the writer left out is failed, never assumed stored', async () => {
  const { batcher } = batcherOf({}, async () => [null]);
  const added = Promise.allSettled([batcher.add(entry('a')), batcher.add(entry('b'))]);
  batcher.drain();
  expect(await added).toMatchObject([
    { status: 'fulfilled' },
    { status: 'rejected', reason: new Error('the writer reported no outcome for this entry') },
  ]);
});

test('batcher: outcomes that belong to no entry are ignored', async () => {
  const { batcher } = batcherOf({ maxRecords: 1 }, async () => [null, new Error('of nobody')]);
  await expect(batcher.add(entry('a'))).resolves.toBeUndefined();
});

test('batcher: a drain writes what is open, and from then on nothing waits for company', () => {
  const { batcher, batches } = batcherOf({ maxWaitMs: 60_000 });
  void batcher.add(entry('a'));
  void batcher.add(entry('b'));
  batcher.drain();
  expect(batches).toEqual([['a', 'b']]);
  void batcher.add(entry('c'));
  void batcher.add(entry('d'));
  expect(batches).toEqual([['a', 'b'], ['c'], ['d']]);
  expect(vi.getTimerCount()).toBe(0);
});

test('batcher: a drain keeps to the number in flight', () => {
  const { batcher, batches } = batcherOf({ maxRecords: 1, maxInFlight: 1 }, gatedWriter().write);
  for (const name of ['a', 'b']) void batcher.add(entry(name));
  batcher.drain();
  expect(batches).toEqual([['a']]);
});

test('batcher: a drain of nothing writes nothing', () => {
  const { batcher, batches } = batcherOf();
  batcher.drain();
  batcher.drain();
  expect(batches).toEqual([]);
});

test('batcher: what is held is what was added and is not settled', async () => {
  const { gates, write } = gatedWriter();
  const { batcher } = batcherOf({ maxRecords: 5 }, write);
  expect(batcher.heldRecords).toBe(0);
  const first = batcher.add(entry('a', 5));
  const second = batcher.add(entry('b', 3));
  expect(batcher.heldRecords).toBe(8);
  gates[0]?.resolve([null]);
  await first;
  expect(batcher.heldRecords).toBe(3);
  batcher.drain();
  gates[1]?.resolve([new Error('bad')]);
  await expect(second).rejects.toThrow('bad');
  expect(batcher.heldRecords).toBe(0);
});

test('batcher: whatever comes, every entry is written once, in order, within the limits, and hears of its own end', async () => {
  const entries = fc.array(
    fc.record({ records: fc.integer({ min: 1, max: 12 }), pad: fc.nat(40), fails: fc.boolean(), wait: fc.boolean() }),
    { maxLength: 40, size: 'max' },
  );
  const limits = fc.record({
    maxRecords: fc.integer({ min: 1, max: 20 }),
    maxBytes: fc.integer({ min: 1, max: 120 }),
    maxWaitMs: fc.nat(5),
    maxInFlight: fc.integer({ min: 1, max: 4 }),
  });
  await fc.assert(
    fc.asyncProperty(entries, limits, fc.infiniteStream(fc.nat(5)), fc.nat(40), async (all, limit, delays, drainAt) => {
      const written: BatchEntry[][] = [];
      let inFlight = 0;
      let mostInFlight = 0;
      const write: WriteBatch = async (batch) => {
        written.push([...batch]);
        inFlight += 1;
        mostInFlight = Math.max(mostInFlight, inFlight);
        await new Promise((resolve) => setTimeout(resolve, delays.next().value));
        inFlight -= 1;
        return batch.map((one) => (all[Number(nameOf(one).trim())]?.fails ? new Error(nameOf(one)) : null));
      };
      const batcher = createBatcher({ limits: limit, bytesOf: bytesOfJson, write });
      const outcomes: (string | null)[][] = all.map(() => []);
      for (const [index, { records, pad, wait }] of all.entries()) {
        if (index === drainAt) batcher.drain();
        const name = `${index}${' '.repeat(pad)}`;
        batcher.add(entry(name, records)).then(
          () => outcomes[index]?.push(null),
          (error: Error) => outcomes[index]?.push(error.message.trim()),
        );
        if (wait) await vi.advanceTimersByTimeAsync(1);
      }
      await vi.advanceTimersByTimeAsync(10_000);

      expect(outcomes).toEqual(all.map(({ fails }, index) => [fails ? String(index) : null]));
      expect(written.flat().map((one) => Number(nameOf(one).trim()))).toEqual(all.map((_, index) => index));
      for (const batch of written) {
        const records = batch.reduce((sum, one) => sum + one.records, 0);
        const bytes = batch.reduce((sum, one) => sum + Buffer.byteLength(one.json), 0);
        expect(batch.length === 1 || (records <= limit.maxRecords && bytes <= limit.maxBytes)).toBe(true);
      }
      expect(mostInFlight).toBeLessThanOrEqual(limit.maxInFlight);
      expect(batcher.heldRecords).toBe(0);
      expect(vi.getTimerCount()).toBe(0);
    }),
    { numRuns: 200 },
  );
});
