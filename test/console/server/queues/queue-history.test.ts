import { expect, test } from 'vitest';
import { mostSamples, type QueueSample, withSample } from '../../../../console/server/queues/queue-history.ts';

const reading = {
  added: 9,
  waiting: 3,
  active: 2,
  delayed: 1,
  failed: 7,
  isPaused: false,
  isHeldBack: false,
  oldestAddedAtMs: 4_000,
};

function history(times: readonly number[]): QueueSample[] {
  return times.reduce<QueueSample[]>((so, nowMs) => withSample(so, reading, nowMs), []);
}

const timesOf = (samples: readonly QueueSample[]): number[] => samples.map(({ at }) => at.getTime());

test('queue history: depth is of all jobs that are not done, age is of the oldest', () => {
  expect(history([10_000])).toEqual([{ at: new Date(10_000), depth: 6, oldestAgeSeconds: 6 }]);
  expect(withSample([], { ...reading, oldestAddedAtMs: null }, 1)[0]?.oldestAgeSeconds).toBeNull();
  expect(withSample([], reading, 1_000)[0]?.oldestAgeSeconds).toBe(0);
});

test('queue history: however often somebody looks, samples are ten seconds apart', () => {
  expect(timesOf(history([0, 5_000, 9_999, 10_000, 12_000, 20_000]))).toEqual([0, 10_000, 20_000]);
});

test('queue history: the last hour is kept', () => {
  const samples = history(Array.from({ length: mostSamples + 5 }, (_, n) => n * 10_000));
  expect([samples.length, samples[0]?.at.getTime()]).toEqual([mostSamples, 50_000]);
});

test('queue history: a clock that was put back begins anew', () => {
  expect(timesOf(history([50_000, 60_000, 20_000, 30_000]))).toEqual([20_000, 30_000]);
});
