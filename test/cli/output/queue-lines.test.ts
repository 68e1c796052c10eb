import { expect, test } from 'vitest';
import type { ChangedQueue } from '../../../cli/commands/queues/change-queue.ts';
import { toChangeLine } from '../../../cli/output/queue-lines.ts';

const changed: ChangedQueue = {
  queue: 'execution-log',
  change: 'retry',
  paused: false,
  failedBefore: 1_200,
  failedAfter: 0,
  unchanged: [],
};

test.each([
  [{}, '1,200 failed jobs of execution-log moved back to the queue'],
  [
    { failedAfter: 7 },
    '1,200 failed jobs of execution-log moved back to the queue; 7 have failed since or were not moved',
  ],
  [{ paused: true }, '1,200 failed jobs of execution-log moved back to the queue; the queue is paused'],
  [{ failedBefore: 0 }, 'execution-log has no failed jobs'],
  [{ change: 'resume' } as const, 'execution-log resumed'],
])('queue lines: with %o it says %s', (changes, line) => {
  expect(toChangeLine({ ...changed, ...changes })).toBe(line);
});

test('queue lines: a pause says how it ends', () => {
  expect(toChangeLine({ ...changed, change: 'pause', paused: true })).toContain('sluice queues resume execution-log');
});
