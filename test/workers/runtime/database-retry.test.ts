import { expect, test, vi } from 'vitest';
import {
  type DatabaseRetryOptions,
  isWorthWaiting,
  retryWhileWorthWaiting,
} from '../../../workers/runtime/database-retry.ts';

const failure = (code: string) => Object.assign(new Error(`database says ${code}`), { code, severity: 'ERROR' });

/** Options without any wait, and all that they were told. */
function optionsOf(overrides: Partial<DatabaseRetryOptions> = {}) {
  const retries: [class_: string, code: string, attempt: number, thrown: unknown][] = [];
  const recoveries: number[] = [];
  const options: DatabaseRetryOptions = {
    backoff: { baseMs: 1_000, maxMs: 1_000 },
    random: () => 0,
    signal: new AbortController().signal,
    onRetry: (error, attempt, thrown) => retries.push([error.class, error.code, attempt, thrown]),
    onRecovered: (attempts) => recoveries.push(attempts),
    ...overrides,
  };
  return { options, retries, recoveries };
}

/** Work that fails with these, one after the other, and then has a result. */
function failing(...errors: unknown[]) {
  return vi.fn(async () => {
    if (errors.length > 0) throw errors.shift();
    return 'done';
  });
}

test('retry: work that does not fail is done once, and nobody is told', async () => {
  const { options, retries, recoveries } = optionsOf();
  const work = failing();
  expect(await retryWhileWorthWaiting(work, options)).toBe('done');
  expect(work).toHaveBeenCalledOnce();
  expect(retries).toEqual([]);
  expect(recoveries).toEqual([]);
});

test('retry: trouble is waited out, each failure is told, and so is the recovery', async () => {
  const { options, retries, recoveries } = optionsOf();
  const errors = [failure('08006'), failure('ECONNREFUSED'), failure('57P01')];
  const work = failing(...errors);
  expect(await retryWhileWorthWaiting(work, options)).toBe('done');
  expect(retries).toEqual([
    ['transient', '08006', 0, errors[0]],
    ['transient', 'ECONNREFUSED', 1, errors[1]],
    ['transient', '57P01', 2, errors[2]],
  ]);
  expect(recoveries).toEqual([3]);
});

test('retry: there is no limit of attempts', async () => {
  const { options, retries } = optionsOf();
  expect(await retryWhileWorthWaiting(failing(...new Array(200).fill(failure('08006'))), options)).toBe('done');
  expect(retries).toHaveLength(200);
});

test('retry: while the database is in trouble, each wait is drawn', async () => {
  const random = vi.fn(() => 0);
  const { options } = optionsOf({ random });
  await retryWhileWorthWaiting(failing(failure('08006'), failure('08006')), options);
  expect(random).toHaveBeenCalledTimes(2);
});

test('retry: when the database refuses everything, the wait is the longest one, and not drawn', async () => {
  const random = vi.fn(() => 0);
  const { options, retries } = optionsOf({ random, backoff: { baseMs: 1, maxMs: 1 } });
  expect(await retryWhileWorthWaiting(failing(failure('42P01')), options)).toBe('done');
  expect(retries).toEqual([['systemic', '42P01', 0, failure('42P01')]]);
  expect(random).not.toHaveBeenCalled();
});

test.each(['22P02', '23514', '23505', 'P0001', 'no code at all'])(
  'retry: %s is thrown at once, as it is',
  async (code) => {
    const { options, retries } = optionsOf();
    const error = failure(code);
    const work = failing(error);
    await expect(retryWhileWorthWaiting(work, options)).rejects.toBe(error);
    expect(work).toHaveBeenCalledOnce();
    expect(retries).toEqual([]);
  },
);

test('retry: an error that waiting does not help ends the waiting for another one', async () => {
  const { options, retries, recoveries } = optionsOf();
  const error = failure('22P02');
  await expect(retryWhileWorthWaiting(failing(failure('08006'), error), options)).rejects.toBe(error);
  expect(retries).toHaveLength(1);
  expect(recoveries).toEqual([]);
});

test('retry: aborting ends a wait at once, with the last error', async () => {
  const stop = new AbortController();
  const { options } = optionsOf({
    signal: stop.signal,
    backoff: { baseMs: 3_600_000, maxMs: 3_600_000 },
    random: () => 1,
  });
  const errors = [failure('08006'), failure('42P01')];
  for (const error of errors) {
    const work = failing(error);
    const onRetry = () => queueMicrotask(() => stop.abort());
    await expect(retryWhileWorthWaiting(work, { ...options, onRetry })).rejects.toBe(error);
    expect(work).toHaveBeenCalledOnce();
  }
});

test('retry: when aborted already, work is tried once, and its error is thrown without being told', async () => {
  const { options, retries } = optionsOf({ signal: AbortSignal.abort() });
  const error = failure('08006');
  await expect(retryWhileWorthWaiting(failing(error), options)).rejects.toBe(error);
  expect(retries).toEqual([]);
  expect(await retryWhileWorthWaiting(failing(), options)).toBe('done');
});

test('retry: what is worth waiting for may be chosen', async () => {
  const { options } = optionsOf({ isWorthWaiting: ({ code }) => code === '22P02' });
  expect(await retryWhileWorthWaiting(failing(failure('22P02')), options)).toBe('done');
  const error = failure('08006');
  await expect(retryWhileWorthWaiting(failing(error), options)).rejects.toBe(error);
});

test.each([
  ['transient', true],
  ['systemic', true],
  ['data', false],
  ['duplicate', false],
  ['unknown', false],
] as const)('retry: waiting for %s errors is worth it: %s', (class_, worth) => {
  expect(isWorthWaiting({ class: class_, code: 'x' })).toBe(worth);
});
