import { expect, test } from 'vitest';
import { createCloseStack } from '../../../shared/platform/lifecycle.ts';

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
