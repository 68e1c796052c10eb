import { afterEach, expect, test, vi } from 'vitest';
import { answerWithin, endsWithin, pause, unlessAborted, within } from '../../../shared/platform/deadline.ts';

afterEach(() => {
  vi.useRealTimers();
});

test('ends within: work that is done in time does, and no timer is left', async () => {
  vi.useFakeTimers();
  expect(await endsWithin(Promise.resolve('value'), 1_000)).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});

test('ends within: work that is late does not, and the wait is what was asked for', async () => {
  vi.useFakeTimers();
  const ended = vi.fn();
  void endsWithin(new Promise(() => undefined), 1_000).then(ended);
  await vi.advanceTimersByTimeAsync(999);
  expect(ended).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(ended).toHaveBeenCalledWith(false);
});

test('ends within: work that fails in time passes its failure on, and no timer is left', async () => {
  vi.useFakeTimers();
  await expect(endsWithin(Promise.reject(new Error('broken')), 1_000)).rejects.toThrow('broken');
  expect(vi.getTimerCount()).toBe(0);
});

test('ends within: work that fails after its time hurts nobody', async () => {
  vi.useFakeTimers();
  const work = Promise.withResolvers<void>();
  const answer = endsWithin(work.promise, 10);
  await vi.advanceTimersByTimeAsync(10);
  expect(await answer).toBe(false);
  work.reject(new Error('late'));
  await vi.advanceTimersByTimeAsync(1);
});

test('within: work that is late is replaced by what was said to take its place, and its own end hurts nobody', async () => {
  vi.useFakeTimers();
  const work = Promise.withResolvers<string>();
  const answer = within(work.promise, 10, () => 'late');
  const refusal = within(work.promise, 10, () => {
    throw new Error('too late');
  }).catch((error: Error) => error.message);
  await vi.advanceTimersByTimeAsync(10);
  expect([await answer, await refusal]).toEqual(['late', 'too late']);
  work.reject(new Error('after all'));
  await vi.advanceTimersByTimeAsync(1);
});

test('within: a time that no timer can be set to does not end at once', async () => {
  vi.useFakeTimers();
  const work = Promise.withResolvers<string>();
  const answer = within(work.promise, Number.POSITIVE_INFINITY, () => 'late');
  await vi.advanceTimersByTimeAsync(3_600_000);
  work.resolve('done');
  expect(await answer).toBe('done');
  expect(vi.getTimerCount()).toBe(0);
});

test('answer within: a question that fails, at once or later, or is not answered in time, has no answer', async () => {
  vi.useFakeTimers();
  const fails = (): never => {
    throw new Error('at once');
  };
  const answers = [
    answerWithin(10, async () => 1),
    answerWithin(10, fails),
    answerWithin(10, () => Promise.reject(new Error('later'))),
    answerWithin(10, () => new Promise<number>(() => undefined)),
  ];
  await vi.advanceTimersByTimeAsync(10);
  expect(await Promise.all(answers)).toEqual([1, null, null, null]);
});

test('unless aborted: nothing is begun once the signal has aborted', async () => {
  const work = vi.fn(async () => 1);
  const signal = AbortSignal.abort(new Error('asked to stop'));
  await expect(unlessAborted(signal, work)).rejects.toThrow('asked to stop');
  await expect(unlessAborted(signal, work, () => new Error('stopped'))).rejects.toThrow('stopped');
  expect(work).not.toHaveBeenCalled();
});

test('unless aborted: work is waited for until the signal aborts, and its own end hurts nobody', async () => {
  const stop = new AbortController();
  const work = Promise.withResolvers<string>();
  const waiting = unlessAborted(stop.signal, () => work.promise);
  expect(await unlessAborted(stop.signal, async () => 'done')).toBe('done');
  stop.abort(new Error('asked to stop'));
  await expect(waiting).rejects.toThrow('asked to stop');
  work.reject(new Error('after all'));
});

test('pause: ends when its time is up, or the signal aborts', async () => {
  await pause(1, new AbortController().signal);
  const stop = new AbortController();
  const pausing = pause(3_600_000, stop.signal);
  stop.abort();
  await pausing;
  await pause(3_600_000, stop.signal);
});
