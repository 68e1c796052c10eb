import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createByteSemaphore, type Release } from '../../../workers/runtime/byte-semaphore.ts';

/** Asks for room, and notes when it is let in. */
function entering(maxBytes: number) {
  const semaphore = createByteSemaphore(maxBytes);
  const inside: { name: number; bytes: number; leave: Release }[] = [];
  const order: number[] = [];
  return {
    inside,
    order,
    async enter(name: number, bytes: number): Promise<void> {
      void semaphore.enter(bytes).then((leave) => {
        inside.push({ name, bytes, leave });
        order.push(name);
      });
      await Promise.resolve();
    },
  };
}

test('byte semaphore: work is let in by its bytes, in the order in which it came', async () => {
  const { inside, order, enter } = entering(100);
  await enter(0, 60);
  await enter(1, 50);
  await enter(2, 10);
  expect(order).toEqual([0]);
  inside[0]?.leave();
  inside[0]?.leave();
  await Promise.resolve();
  expect(order).toEqual([0, 1, 2]);
});

test('byte semaphore: work that is larger than all there is, is let in alone', async () => {
  const { inside, order, enter } = entering(100);
  await enter(0, 10);
  await enter(1, 1_000);
  await enter(2, 10);
  expect(order).toEqual([0]);
  inside[0]?.leave();
  await Promise.resolve();
  expect(order).toEqual([0, 1]);
  inside[1]?.leave();
  await Promise.resolve();
  expect(order).toEqual([0, 1, 2]);
});

test('byte semaphore: all is let in once, in order, and never more than there is room for', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(150), { minLength: 1, maxLength: 30 }), fc.nat(), async (sizes, seed) => {
      const { inside, order, enter } = entering(100);
      for (const [name, bytes] of sizes.entries()) await enter(name, bytes);
      let left = 0;
      while (left < sizes.length) {
        const bytes = inside.reduce((sum, work) => sum + work.bytes, 0);
        expect(bytes <= 100 || inside.filter((work) => work.bytes > 0).length === 1).toBe(true);
        expect(inside.length).toBeGreaterThan(0);
        const [work] = inside.splice(seed % inside.length, 1);
        work?.leave();
        left += 1;
        await Promise.resolve();
      }
      expect(order).toEqual(sizes.map((_, name) => name));
    }),
  );
});
