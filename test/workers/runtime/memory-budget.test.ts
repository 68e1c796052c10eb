import { expect, test } from 'vitest';
import { createMemoryBudget, heldBytes, jobBytesFor } from '../../../workers/runtime/memory-budget.ts';

const mib = 1_048_576;

test.each([
  ['of a container of 256 MiB', 156, 9.3],
  ['of a container of 512 MiB', 310, 60.7],
  ['that is small', 64, 8],
  ['that is large', 4_288, 64],
])('job bytes: by a heap %s', (_what, heapMib, jobMib) => {
  expect(jobBytesFor(heapMib * mib) / mib).toBeCloseTo(jobMib, 1);
});

test.each([
  ['', 0],
  ['plain', 5],
  ['plain and 日', 22],
  ['é', 2],
])('held bytes: of %j, where one character beyond ASCII doubles all', (text, bytes) => {
  expect(heldBytes(text)).toBe(bytes);
  expect(heldBytes(text, Buffer.byteLength(text))).toBe(bytes);
});

test('memory budget: jobs are fetched while there is room, so that one at most oversteps it', async () => {
  const budget = createMemoryBudget({ maxBytes: 100, statementBytes: 100 });
  const first = budget.reserve(60);
  const second = budget.reserve(60);
  expect(first).not.toBeNull();
  expect(second).not.toBeNull();
  expect(budget.reserve(1)).toBeNull();
  const job = budget.hold(10);
  first?.();
  expect(budget.reserve(1)).not.toBeNull();
  job();
});

test('memory budget: who waits for room is told when something was given back', async () => {
  const budget = createMemoryBudget({ maxBytes: 100, statementBytes: 100 });
  await budget.whenRoom();
  const release = budget.hold(150);
  const told: string[] = [];
  const waiting = budget.whenRoom().then(() => told.push('room'));
  await Promise.resolve();
  expect(told).toEqual([]);
  release();
  release();
  await waiting;
  expect(budget.reserve(100)).not.toBeNull();
  expect(budget.reserve(1)).toBeNull();
});
