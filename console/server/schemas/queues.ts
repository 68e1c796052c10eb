import { z } from 'zod';
import { queueNames } from '../../../shared/contracts/queues.ts';
import { count, time } from './common.ts';

const rates = z
  .object({
    arrivalsPerSecond: z.number(),
    completionsPerSecond: z.number(),
    overSeconds: z.number().describe('the time over which the rates were measured'),
  })
  .meta({ id: 'QueueRates' });

const shardState = z
  .object({
    name: z.string().describe('the name of the queue, and the number of the shard behind it except for the first'),
    waiting: z.int(),
    active: z.int(),
    delayed: z.int(),
    failed: z.int(),
    isPaused: z.boolean(),
    oldestAgeSeconds: z.number().nullable(),
    isStale: z.boolean().describe('its server does not answer now: this is the reading before'),
  })
  .meta({ id: 'ShardState', description: 'One of the BullMQ queues over which a queue is spread' });

const isPartial = z
  .boolean()
  .describe(
    'true while a node of a Redis Cluster does not answer: of the shards that it has the reading before counts, and it may have more',
  );

export const queuesQuery = z.strictObject({
  shards: z.enum(['true', 'false']).default('false').describe('true: also list the shards of each queue'),
});

export const queueList = z
  .object({
    at: time,
    queues: z.array(
      z
        .object({
          queue: z.enum(queueNames),
          waiting: z.int(),
          active: z.int(),
          delayed: z.int(),
          failed: z.int(),
          isPaused: z.boolean().describe('whether all shards are paused'),
          oldestAgeSeconds: z.number().nullable().describe('of the job that has waited longest; null if none waits'),
          rates: rates.nullable().describe('null until two readings have been taken'),
          drainSeconds: z
            .number()
            .nullable()
            .describe(
              'the time to clear the backlog at the measured rate; null if no jobs are completed, or the queue is paused',
            ),
          workers: z.int().nullable().describe('processes that take jobs; null if Redis does not tell'),
          isPartial,
          shardCount: z
            .int()
            .describe('shards of the queue that are known; all other numbers are of all shards together'),
          shards: z.array(shardState).optional().describe('only if asked for'),
        })
        .meta({ id: 'QueueState', description: 'Numbers are counts of jobs; each job is a chunk of records' }),
    ),
  })
  .meta({ id: 'QueueList' });

export const queueHistory = z
  .object({
    queues: z.array(
      z.object({
        queue: z.enum(queueNames),
        samples: z
          .array(
            z
              .object({
                at: time,
                depth: z.int().describe('jobs that waited, were delayed or were active'),
                oldestAgeSeconds: z.number().nullable(),
              })
              .meta({ id: 'QueueSample' }),
          )
          .describe('samples of the last hour, ten seconds apart, oldest first; starts with the console'),
      }),
    ),
  })
  .meta({ id: 'QueueHistory' });

export const scalingQuery = z.strictObject({
  targetSeconds: count(86_400, 60).describe('the time in which the backlog should be cleared'),
});

export const scaling = z
  .object({
    targetSeconds: z.int(),
    backlogSeconds: z
      .number()
      .describe('the maximum over all queues that are not paused: the one number for an autoscaler'),
    oldestAgeSeconds: z.number().describe('the maximum over all queues; 0 if nothing waits'),
    minWorkers: z
      .int()
      .describe('1 while jobs of a queue that is not paused are unfinished or came in the last minute, else 0'),
    desiredWorkers: z
      .int()
      .nullable()
      .describe('the maximum over all queues; null if Redis does not tell how many workers there are'),
    queues: z.array(
      z.object({
        queue: z.enum(queueNames),
        isPaused: z.boolean(),
        isPartial: z
          .boolean()
          .describe(
            'true while a node of a Redis Cluster does not answer: backlogSeconds is then at least targetSeconds, minWorkers 1, and desiredWorkers at least the present number, unless the queue is paused',
          ),
        backlog: z.int().describe('of what can be read'),
        backlogSeconds: z.number(),
        oldestAgeSeconds: z.number(),
        completionsPerSecond: z.number().nullable(),
        workers: z.int().nullable(),
        minWorkers: z.int(),
        desiredWorkers: z.int().nullable(),
      }),
    ),
  })
  .meta({ id: 'Scaling' });
