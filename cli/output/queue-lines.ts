import type { QueueName, ShardName } from '../../shared/contracts/queues.ts';
import type { ChangedQueue } from '../commands/queues/change-queue.ts';
import { none, toAge, toCount } from './figures.ts';
import type { Line } from './line.ts';
import { toTable } from './table.ts';

/** A queue, or one of its shards, in numbers of jobs; each job is a chunk of records. */
export interface JobCounts<Name extends string> {
  queue: Name;
  /** of a queue: all its shards are */
  paused: boolean;
  waiting: number;
  active: number;
  delayed: number;
  failed: number;
  /** null if none waits */
  oldestWaitSeconds: number | null;
}

export interface QueueStatus extends JobCounts<QueueName> {
  pausedShards: number;
  /** processes connected to take jobs; null if Redis does not tell */
  workers: number | null;
  /** left out unless they are to be shown */
  shards?: JobCounts<ShardName>[];
}

type Row = JobCounts<string> & Partial<Pick<QueueStatus, 'pausedShards' | 'workers'>>;

/** A row for each queue, and after it, if they are to be shown and there are several, one for each of its shards. */
export function toQueueTable(queues: readonly QueueStatus[], options: { columns: number | null }): Line[] {
  const rows = queues.flatMap(({ shards = [], ...whole }): Row[] => [
    whole,
    ...(shards.length > 1 ? shards.map((shard) => ({ ...shard, queue: `  ${shard.queue}` })) : []),
  ]);
  return toTable<Row>(
    [
      { title: 'queue', cell: ({ queue }) => queue },
      {
        title: 'intake',
        cell: ({ paused, pausedShards = 0 }) => {
          if (paused) return { text: 'paused', tone: 'warning' };
          return pausedShards > 0 ? { text: 'partly paused', tone: 'warning' } : { text: 'open', tone: 'good' };
        },
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
          // A process takes jobs of all shards.
          if (workers === undefined) return '';
          if (workers === null) return 'unknown';
          return workers === 0 ? { text: '0', tone: 'warning' } : toCount(workers);
        },
        align: 'right',
      },
    ],
    rows,
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

const namesShown = 5;

/** Which shards could not be changed, and what to do. */
export function toUnchangedLine({ queue, change, unchanged }: ChangedQueue): string {
  const names = unchanged.slice(0, namesShown).map(({ shard }) => shard);
  const more = unchanged.length > names.length ? ` and ${unchanged.length - names.length} more` : '';
  const why = unchanged[0]?.why ?? '';
  return `not changed: ${names.join(', ')}${more} (${why}); once their servers are back, run \`sluice queues ${change} ${queue}\` again`;
}
