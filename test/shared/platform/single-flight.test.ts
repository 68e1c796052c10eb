import { expect, test, vi } from 'vitest';
import { singleFlight } from '../../../shared/platform/single-flight.ts';

test('single flight: whoever asks before the answer gets the same one, whoever asks after it a new one', async () => {
  const ask = vi.fn(async () => ask.mock.calls.length);
  const askOnce = singleFlight(ask);
  expect(await Promise.all([askOnce(), askOnce()])).toEqual([1, 1]);
  expect(await askOnce()).toBe(2);
});

test('single flight: a question that fails does so for all who asked, and is asked anew after that', async () => {
  const answers = [Promise.reject(new Error('away')), Promise.resolve('there')];
  const askOnce = singleFlight(async () => answers.shift());
  expect(await Promise.allSettled([askOnce(), askOnce()])).toMatchObject([
    { reason: { message: 'away' } },
    { reason: { message: 'away' } },
  ]);
  expect(await askOnce()).toBe('there');
});
