import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createJobBudget } from '../../../workers/records/job-budget.ts';

const limits = { maxJobs: 100, maxBytes: 1_000_000 };

test('job budget: jobs that all fit do not limit it', () => {
  const budget = createJobBudget(limits);
  expect(budget.note(10_000)).toBe(100);
  expect(budget.note(0)).toBe(100);
});

test('job budget: a large job counts at once, and one may always be taken', () => {
  const budget = createJobBudget(limits);
  expect(budget.note(100_000)).toBe(10);
  expect(budget.note(50_000_000)).toBe(1);
});

test('job budget: a large job is forgotten when small ones follow', () => {
  const budget = createJobBudget(limits);
  budget.note(1_000_000);
  const counts = Array.from({ length: 100 }, () => budget.note(1_000));
  expect(counts).toEqual([...counts].sort((a, b) => a - b));
  expect(counts[0]).toBe(1);
  expect(counts.at(-1)).toBe(100);
});

test('job budget: as many jobs of the last size as it allows fit, unless it is one', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(5_000_000), { minLength: 1 }), (sizes) => {
      const budget = createJobBudget(limits);
      for (const bytes of sizes) {
        const jobs = budget.note(bytes);
        expect(jobs).toBeGreaterThanOrEqual(1);
        expect(jobs).toBeLessThanOrEqual(limits.maxJobs);
        expect(jobs === 1 || jobs * bytes <= limits.maxBytes).toBe(true);
      }
    }),
  );
});
