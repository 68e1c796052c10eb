import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createProblemLog } from '../../../producers/core/problem-log.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function logOf() {
  const lines: [fields: object, message: string][] = [];
  return { lines, log: createProblemLog({ warn: (fields, message) => lines.push([fields, message]) }) };
}

const dropped = 'execution records dropped';

test('problem log: the first of a kind is told at once', () => {
  const { lines, log } = logOf();
  log.report('dropped', null);
  expect(lines).toEqual([[{ count: 1 }, dropped]]);
});

test('problem log: those of the following second are told together at its end', () => {
  const { lines, log } = logOf();
  for (let n = 0; n < 1_000; n += 1) log.report('dropped', null);
  vi.advanceTimersByTime(999);
  expect(lines).toHaveLength(1);
  vi.advanceTimersByTime(1);
  expect(lines.slice(1)).toEqual([[{ count: 999 }, dropped]]);
});

test('problem log: a storm makes one line a second, and no report goes uncounted', () => {
  const { lines, log } = logOf();
  for (let ms = 0; ms < 10_000; ms += 1) {
    log.report('dropped', null);
    vi.advanceTimersByTime(1);
  }
  expect(lines).toHaveLength(11);
  expect(lines.reduce((sum, [fields]) => sum + (fields as { count: number }).count, 0)).toBe(10_000);
});

test('problem log: after a quiet second the next one is told at once again', () => {
  const { lines, log } = logOf();
  log.report('dropped', null);
  vi.advanceTimersByTime(1_000);
  log.report('dropped', null);
  expect(lines).toEqual([
    [{ count: 1 }, dropped],
    [{ count: 1 }, dropped],
  ]);
});

test('problem log: each kind has its own second and its own words', () => {
  const { lines, log } = logOf();
  log.report('dropped', null);
  log.report('send_failed', null);
  log.report('metrics_failed', null);
  expect(lines.map(([, message]) => message)).toEqual([
    dropped,
    'chunks could not be added to the queue; retrying',
    'execution metrics could not be updated',
  ]);
});

test('problem log: a line has the last error', () => {
  const { lines, log } = logOf();
  const errors = [new Error('first'), new Error('second'), new Error('third')] as const;
  for (const error of errors) log.report('send_failed', error);
  vi.advanceTimersByTime(1_000);
  expect(lines.map(([fields]) => fields)).toEqual([
    { count: 1, err: errors[0] },
    { count: 2, err: errors[2] },
  ]);
});

test('problem log: closing tells what is still to be told, and leaves no timer', () => {
  const { lines, log } = logOf();
  log.report('dropped', null);
  log.report('dropped', null);
  log.report('dropped', null);
  log.close();
  expect(lines.map(([fields]) => fields)).toEqual([{ count: 1 }, { count: 2 }]);
  expect(vi.getTimerCount()).toBe(0);
});

test('problem log: closing with nothing to tell says nothing', () => {
  const { lines, log } = logOf();
  log.report('dropped', null);
  log.close();
  log.close();
  expect(lines).toHaveLength(1);
});

test('problem log: a logger that throws reaches nobody', () => {
  const log = createProblemLog({
    warn: () => {
      throw new Error('disk full');
    },
  });
  expect(() => {
    log.report('dropped', null);
    log.report('dropped', null);
    vi.advanceTimersByTime(1_000);
    log.close();
  }).not.toThrow();
});
