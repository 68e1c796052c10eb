import { ReplyError } from 'ioredis';
import { expect, test, vi } from 'vitest';
import { retryWhileRefused } from '../../../workers/runtime/redis-retry.ts';

const { signal } = new AbortController();

/** A question that fails with these, one after the other, and is then answered. */
function failing(...errors: Error[]) {
  return vi.fn(async () => {
    const error = errors.shift();
    if (error !== undefined) throw error;
    return 'done';
  });
}

const full = () => new ReplyError("OOM command not allowed when used memory > 'maxmemory'.");

test('retry while refused: what Redis refuses is asked again, until it is answered', async () => {
  const ask = failing(full(), full());
  expect(await retryWhileRefused(ask, { forMs: 60_000, signal })).toBe('done');
  expect(ask).toHaveBeenCalledTimes(3);
});

test.each([
  ['what is no refusal', new Error('Connection is closed.'), { forMs: 60_000, signal }],
  ['a refusal, when its time is up', full(), { forMs: -1, signal }],
  ['a refusal, when aborted', full(), { forMs: 60_000, signal: AbortSignal.abort() }],
])('retry while refused: %s is thrown at once', async (_what, error, options) => {
  const ask = failing(error);
  await expect(retryWhileRefused(ask, options)).rejects.toBe(error);
  expect(ask).toHaveBeenCalledOnce();
});
