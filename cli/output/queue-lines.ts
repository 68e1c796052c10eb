import type { QueueName } from '../../shared/contracts/queues.ts';
import type { ChangedQueue } from '../commands/queues/change-queue.ts';
import { none, toAge, toCount } from './figures.ts';
import type { Line } from './line.ts';
import { toTable } from './table.ts';

/** A queue in numbers of jobs; each job is a chunk of records. */
export interface QueueStatus {
  queue: QueueName;
  paused: boolean;
  waiting: number;
  active: number;
  delayed: number;
  failed: number;
  /** null if none waits */
  oldestWaitSeconds: number | null;
  /** processes connected to take jobs; null if Redis does not tell */
  workers: number | null;
}

export function toQueueTable(queues: readonly QueueStatus[], options: { columns: number | null }): Line[] {
  return toTable(
    [
      { title: 'queue', cell: ({ queue }) => queue },
      {
        title: 'intake',
        cell: ({ paused }) => (paused ? { text: 'paused', tone: 'warning' } : { text: 'open', tone: 'good' }),
      },
      { title: 'waiting', cell: ({ waiting }) => toCount(waiting), align: 'right' },
      {
        title: 'oldest',
        cell: ({ oldestWaitSeconds }) => (oldestWaitSeconds === null ? none : toAge(oldestWaitSeconds)),
        align: 'right',
      },
      { title: 'active', cell: ({ active }) => toCount(active), align: 'right', optional: true },
      { title: 'delayed', cell: ({ delayed }) => toCount(delayed), align: 'right', optional: true },
      {
        title: 'failed',
        cell: ({ failed }) => (failed === 0 ? '0' : { text: toCount(failed), tone: 'bad' }),
        align: 'right',
      },
      {
        title: 'workers',
        cell: ({ workers }) => {
          if (workers === null) return 'unknown';
          return workers === 0 ? { text: '0', tone: 'warning' } : toCount(workers);
        },
        align: 'right',
      },
    ],
    queues,
    options,
  );
}

export function toChangeLine({ queue, change, failedBefore, failedAfter, paused }: ChangedQueue): string {
  switch (change) {
    case 'pause':
      return `${queue} is paused: workers finish the jobs they hold and take no more; run \`sluice queues resume ${queue}\` to resume`;
    case 'resume':
      return `${queue} resumed`;
    case 'retry': {
      const waits = paused ? '; the queue is paused' : '';
      const rest = failedAfter === 0 ? '' : `; ${toCount(failedAfter)} have failed since or were not moved`;
      return failedBefore === 0
        ? `${queue} has no failed jobs`
        : `${toCount(failedBefore)} failed jobs of ${queue} moved back to the queue${rest}${waits}`;
    }
  }
}
