import { z } from 'zod';
import { queueNames } from '../../../shared/contracts/queues.ts';
import { count, time } from './common.ts';

const rates = z
  .object({
    arrivalsPerSecond: z.number(),
    completionsPerSecond: z.number(),
    overSeconds: z.number().describe('the time that this was measured over'),
  })
  .meta({ id: 'QueueRates' });

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
          isPaused: z.boolean(),
          oldestAgeSeconds: z.number().nullable().describe('of the job that waits longest; null when none waits'),
          rates: rates.nullable().describe('null until two readings have been taken'),
          drainSeconds: z
            .number()
            .nullable()
            .describe(
              'the backlog at the measured rate of completion; null when nothing is completed, or the queue is paused',
            ),
          workers: z.int().nullable().describe('processes that take jobs; null when Redis does not tell'),
        })
        .meta({ id: 'QueueState', description: 'Numbers are of jobs, each of which is a chunk of records' }),
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
                depth: z.int().describe('jobs that waited, were delayed or were being worked on'),
                oldestAgeSeconds: z.number().nullable(),
              })
              .meta({ id: 'QueueSample' }),
          )
          .describe('of the last hour, ten seconds apart, the oldest first; since the console was started'),
      }),
    ),
  })
  .meta({ id: 'QueueHistory' });

export const scalingQuery = z.strictObject({
  targetSeconds: count(86_400, 60).describe('in which time the backlog ought to be gone'),
});

export const scaling = z
  .object({
    targetSeconds: z.int(),
    backlogSeconds: z
      .number()
      .describe('the largest of all queues that are not paused: the one number for an autoscaler'),
    oldestAgeSeconds: z.number().describe('the largest of all queues; 0 when nothing waits'),
    minWorkers: z
      .int()
      .describe('1 while jobs of a queue that is not paused are unfinished or came in the last minute, else 0'),
    desiredWorkers: z
      .int()
      .nullable()
      .describe('the largest of all queues; null when Redis does not tell how many there are'),
    queues: z.array(
      z.object({
        queue: z.enum(queueNames),
        isPaused: z.boolean(),
        backlog: z.int(),
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
