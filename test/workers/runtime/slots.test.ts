import { expect, test } from 'vitest';
import { createHoldings } from '../../../workers/runtime/holdings.ts';
import { createSlots, type Slots } from '../../../workers/runtime/slots.ts';

/** A worker that always has one more job, as one with a deep backlog has. */
function aWorker(slots: Slots) {
  const jobs: (() => void)[] = [];
  let isWaiting = false;
  const share = slots.join(() => take());
  const take = (): void => {
    while (share.isFree()) jobs.push(share.take());
    if (!isWaiting) share.beginToWait();
    isWaiting = true;
  };
  return {
    share,
    take,
    get jobs(): number {
      return jobs.length;
    },
    /** Its oldest job is done; the next one takes the slot, if it may. */
    end(): void {
      const release = jobs.shift();
      if (share.mayKeep()) jobs.push(release as () => void);
      else release?.();
    },
    /** It has no more jobs. */
    leave(): void {
      if (isWaiting) share.endWait();
      isWaiting = false;
      for (const release of jobs.splice(0)) release();
    },
  };
}

test('slots: who is alone has all of them, and keeps them from job to job', () => {
  const worker = aWorker(createSlots(10));
  worker.take();
  expect(worker.jobs).toBe(10);
  for (let job = 0; job < 100; job += 1) worker.end();
  expect(worker.jobs).toBe(10);
});

test('slots: who comes second has half of them when as many jobs have ended, and nobody has more', () => {
  const slots = createSlots(10);
  const [first, second] = [aWorker(slots), aWorker(slots)];
  first.take();
  second.take();
  expect([first.jobs, second.jobs]).toEqual([10, 0]);
  for (let job = 0; job < 5; job += 1) first.end();
  expect([first.jobs, second.jobs]).toEqual([5, 5]);
  for (let job = 0; job < 50; job += 1) {
    first.end();
    second.end();
    expect(first.jobs + second.jobs).toBe(10);
    expect(Math.abs(first.jobs - second.jobs)).toBeLessThanOrEqual(2);
  }
});

test('slots: who has nothing to do leaves them to the others at once', () => {
  const slots = createSlots(10);
  const [first, second] = [aWorker(slots), aWorker(slots)];
  first.take();
  second.take();
  for (let job = 0; job < 5; job += 1) first.end();
  second.leave();
  expect([first.jobs, second.jobs]).toEqual([10, 0]);
});

test('slots: where there are more workers than slots, each has its turn', () => {
  const slots = createSlots(2);
  const workers = Array.from({ length: 7 }, () => aWorker(slots));
  const hadOne = new Set<unknown>();
  for (const worker of workers) worker.take();
  for (let job = 0; job < 20; job += 1) {
    const working = workers.filter(({ jobs }) => jobs > 0);
    expect(working.reduce((sum, { jobs }) => sum + jobs, 0)).toBe(2);
    for (const worker of working) hadOne.add(worker);
    working[job % working.length]?.end();
  }
  expect(hadOne.size).toBe(workers.length);
});

test('slots: a job that is there already takes one in any case, and then nobody else does until one is free again', () => {
  const slots = createSlots(1);
  const [first, second] = [aWorker(slots), aWorker(slots)];
  const [one, two] = [first.share.take(), first.share.take()];
  second.take();
  expect(second.jobs).toBe(0);
  one();
  one();
  expect(second.jobs).toBe(0);
  two();
  expect(second.jobs).toBe(1);
});

test('slots: what a worker holds is given back in its name, once', () => {
  const slots = createSlots(2);
  const [silent, other] = [aWorker(slots), aWorker(slots)];
  const holdings = createHoldings();
  const release = holdings.add(silent.share.take());
  holdings.add(silent.share.take());
  other.take();
  holdings.giveBackAll();
  expect(other.jobs).toBe(2);
  release();
  holdings.giveBackAll();
  expect(other.jobs).toBe(2);
});
