import { afterEach, expect, test, vi } from 'vitest';
import { createCloseStack, endsWithin } from '../../../shared/platform/lifecycle.ts';

afterEach(() => {
  vi.useRealTimers();
});

function stackOf(...names: string[]) {
  const closed: string[] = [];
  const errors: [string, unknown][] = [];
  const stack = createCloseStack((name, error) => errors.push([name, error]));
  for (const name of names) {
    stack.push(name, async () => {
      closed.push(name);
    });
  }
  return { stack, closed, errors };
}

test('close stack: what was opened last is closed first', async () => {
  const { stack, closed } = stackOf('a', 'b', 'c');
  await stack.closeAll();
  expect(closed).toEqual(['c', 'b', 'a']);
});

test('close stack: one is closed before the next one is begun', async () => {
  const { stack, closed } = stackOf('first');
  const gate = Promise.withResolvers<void>();
  stack.push('slow', () => gate.promise);
  const closing = stack.closeAll();
  await Promise.resolve();
  expect(closed).toEqual([]);
  gate.resolve();
  await closing;
  expect(closed).toEqual(['first']);
});

test('close stack: one that fails, in either way, does not keep the others open', async () => {
  const { stack, closed, errors } = stackOf('a');
  const [rejected, thrown] = [new Error('rejected'), new Error('thrown')];
  stack.push('rejects', () => Promise.reject(rejected));
  stack.push('throws', () => {
    throw thrown;
  });
  await stack.closeAll();
  expect(closed).toEqual(['a']);
  expect(errors).toEqual([
    ['throws', thrown],
    ['rejects', rejected],
  ]);
});

test('close stack: a second time nothing is closed again', async () => {
  const { stack, closed } = stackOf('a');
  await Promise.all([stack.closeAll(), stack.closeAll()]);
  await stack.closeAll();
  expect(closed).toEqual(['a']);
});

test('close stack: an empty one closes', async () => {
  await expect(stackOf().stack.closeAll()).resolves.toBeUndefined();
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
