import fc from 'fast-check';
import { expect, test } from 'vitest';
import { deadLettersInSteps } from '../../dead-letters/steps.ts';

const deadLetters = (...sizes: number[]) => sizes.map((payloadBytes, index) => ({ id: String(index), payloadBytes }));

test('dead letters in steps: a step ends by number or by size, whichever comes first', () => {
  const steps = deadLettersInSteps(deadLetters(1, 1, 1, 1, 50, 60, 200, 1), { maxDeadLetters: 3, maxBytes: 100 });
  expect([...steps]).toEqual([['0', '1', '2'], ['3', '4'], ['5'], ['6'], ['7']]);
});

test('dead letters in steps: each dead letter is in one step, in order, and only a single one is too large', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(300)), fc.integer({ min: 1, max: 9 }), (sizes, maxDeadLetters) => {
      const steps = [...deadLettersInSteps(deadLetters(...sizes), { maxDeadLetters, maxBytes: 200 })];
      expect(steps.flat()).toEqual(sizes.map((_, index) => String(index)));
      for (const step of steps) {
        const bytes = step.reduce((sum, id) => sum + (sizes[Number(id)] ?? 0), 0);
        expect(step.length).toBeLessThanOrEqual(maxDeadLetters);
        expect(step.length === 1 || bytes <= 200).toBe(true);
      }
    }),
  );
});
