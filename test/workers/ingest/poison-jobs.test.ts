import { expect, test, vi } from 'vitest';
import type { JobCounter } from '../../../workers/ingest/job-counter.ts';
import { createPoisonJobIsolation, PoisonJobError } from '../../../workers/ingest/poison-jobs.ts';
import { createByteSemaphore } from '../../../workers/runtime/byte-semaphore.ts';
import { createHoldings } from '../../../workers/runtime/holdings.ts';

/** A counter that remembers, as Redis does across the lives of workers. */
function aCounter() {
  const starts = new Map<string, number>();
  const counter: JobCounter = {
    add: async (id) => {
      starts.set(id, (starts.get(id) ?? 0) + 1);
      return starts.get(id) ?? 0;
    },
    takeBack: async (id) => {
      starts.set(id, (starts.get(id) ?? 0) - 1);
    },
  };
  return { starts, counter };
}

function aLane(counter: JobCounter, maxStarts = 3) {
  const watchers = new Set<() => void>();
  const turns = createByteSemaphore(1);
  const isolation = createPoisonJobIsolation({
    counter,
    maxStarts,
    onOutage: (tell) => {
      watchers.add(tell);
      return () => watchers.delete(tell);
    },
    enterTurn: () => turns.enter(1),
  });
  return { isolation, watchers, beginOutage: () => [...watchers].map((tell) => tell()) };
}

const never = () => new Promise<never>(() => undefined);

test('poison jobs: jobs that stalled twice at most are worked on at once and are not counted', async () => {
  const { starts, counter } = aCounter();
  const { isolation } = aLane(counter);
  const begun: string[] = [];
  for (const stalledCounter of [0, 1, 2]) {
    isolation
      .run({ id: `job-${stalledCounter}`, stalledCounter }, () => {
        begun.push(`job-${stalledCounter}`);
        return never();
      })
      .catch(() => undefined);
  }
  expect(begun).toEqual(['job-0', 'job-1', 'job-2']);
  expect(starts.size).toBe(0);
});

test('poison jobs: those that stalled again are worked on one after the other, each counted before it begins', async () => {
  const { starts, counter } = aCounter();
  const { isolation } = aLane(counter);
  const events: string[] = [];
  const job = (id: string) => async () => {
    events.push(`${id} begins with ${starts.get(id)}`);
    await Promise.resolve();
    events.push(`${id} ends`);
    return id;
  };
  const results = await Promise.all(['a', 'b'].map((id) => isolation.run({ id, stalledCounter: 3 }, job(id))));
  expect(results).toEqual(['a', 'b']);
  expect(events).toEqual(['a begins with 1', 'a ends', 'b begins with 1', 'b ends']);
});

test('poison jobs: a start that ended is taken back, however it ended, and the next has its turn', async () => {
  const { starts, counter } = aCounter();
  const { isolation } = aLane(counter);
  const failing = isolation.run({ id: 'a', stalledCounter: 9 }, () => Promise.reject(new Error('handed back')));
  const next = isolation.run({ id: 'b', stalledCounter: 9 }, async () => 'done');
  await expect(failing).rejects.toThrow('handed back');
  expect(await next).toBe('done');
  expect([...starts.values()]).toEqual([0, 0]);
});

test('poison jobs: the job that kills its workers is given up, and those behind it live', async () => {
  const { counter } = aCounter();
  const ends: string[] = [];
  // Each isolation is one life of a worker: the killer's work never ends, and what is behind it never gets its turn.
  for (let life = 0; life < 3; life += 1) {
    const { isolation } = aLane(counter);
    const begun = vi.fn(never);
    isolation.run({ id: 'killer', stalledCounter: life + 3 }, begun).catch(() => undefined);
    isolation
      .run({ id: 'innocent', stalledCounter: life + 3 }, async () => ends.push('innocent was started'))
      .catch(() => undefined);
    await vi.waitUntil(() => begun.mock.calls.length === 1);
  }
  expect(ends).toEqual([]);

  const { isolation } = aLane(counter);
  const killer = isolation.run({ id: 'killer', stalledCounter: 6 }, never);
  const innocent = isolation.run({ id: 'innocent', stalledCounter: 6 }, async () => 'stored');
  await expect(killer).rejects.toBeInstanceOf(PoisonJobError);
  expect(await innocent).toBe('stored');
});

test('poison jobs: waiting for the database is not held against a job', async () => {
  const { starts, counter } = aCounter();
  const { isolation, beginOutage, watchers } = aLane(counter);
  const { promise, resolve } = Promise.withResolvers<string>();
  const waiting = isolation.run({ id: 'a', stalledCounter: 3 }, () => promise);
  await vi.waitUntil(() => watchers.size === 1);
  expect(starts.get('a')).toBe(1);
  beginOutage();
  beginOutage();
  await vi.waitUntil(() => starts.get('a') === 0);
  resolve('stored');
  expect(await waiting).toBe('stored');
  expect(starts.get('a')).toBe(0);
  expect(watchers.size).toBe(0);
});

test('poison jobs: when the count cannot be taken back, the job has its result all the same', async () => {
  const { isolation } = aLane({ add: async () => 1, takeBack: () => Promise.reject(new Error('Redis is gone')) });
  expect(await isolation.run({ id: 'a', stalledCounter: 3 }, async () => 'stored')).toBe('stored');
});

test('poison jobs: one whose server does not answer leaves its turn to the others when it is given back', async () => {
  const turns = createByteSemaphore(1);
  const ofSilent = createHoldings();
  const { counter } = aCounter();
  const isolationOf = (add: JobCounter['add'], enterTurn: () => Promise<() => void>) =>
    createPoisonJobIsolation({
      ...{ counter: { ...counter, add }, maxStarts: 3, enterTurn },
      onOutage: () => () => undefined,
    });
  const silent = isolationOf(never, async () => ofSilent.add(await turns.enter(1)));
  const other = isolationOf(counter.add, () => turns.enter(1));
  silent.run({ id: 'of-silent', stalledCounter: 3 }, never).catch(() => undefined);
  let isDone = false;
  const done = other.run({ id: 'of-other', stalledCounter: 3 }, async () => {
    isDone = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(isDone).toBe(false);
  ofSilent.giveBackAll();
  await done;
  expect(isDone).toBe(true);
});
