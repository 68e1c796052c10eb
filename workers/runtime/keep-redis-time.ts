import type { Queue, Worker } from 'bullmq';
import type { RedisClock } from './redis-clock.ts';

/** Where a script of BullMQ 6.7 has the time of its caller: behind its keys, at this place among all its arguments. */
const placeOfNow: Readonly<Record<string, number>> = {
  moveToActive: 11 + 1,
  moveToFinished: 14 + 1,
  moveToDelayed: 11 + 1,
  retryJob: 11 + 1,
  addJobScheduler: 11 + 6,
  updateJobScheduler: 12 + 4,
};

/** Where the answer to a worker that asked for a job has the time at which the next delayed one is due. */
const placeOfNextDue = 3;

/**
 * Makes a worker or a queue of BullMQ live by the clock of Redis. BullMQ writes when a job is due by the clock of whoever
 * delays it, and compares with that of whoever asks for a job: a worker that is an hour ahead would delay jobs for an
 * hour, and take the jobs of others an hour too soon. What it waits for by itself, it waits for by its own clock: times
 * that come from Redis are translated.
 *
 * To be called before anything else is done with it.
 */
export function keepRedisTime({ backend }: Pick<Worker, 'backend'> | Pick<Queue, 'backend'>, clock: RedisClock): void {
  const toOwnClock = (redisMs: number): number => redisMs - clock.now() + Date.now();
  const withOwnClock = (answer: unknown): unknown => {
    if (Array.isArray(answer) && answer[placeOfNextDue] > 0)
      answer[placeOfNextDue] = toOwnClock(answer[placeOfNextDue]);
    return answer;
  };

  const execCommand = backend.execCommand.bind(backend);
  backend.execCommand = (client, command, args) => {
    const place = placeOfNow[command];
    return execCommand(client, command, place === undefined ? args : args.with(place, Math.round(clock.now())));
  };
  const moveToActive = backend.moveToActive.bind(backend);
  backend.moveToActive = async (...args) => withOwnClock(await moveToActive(...args)) as unknown[];
  const moveToFinished = backend.moveToFinished.bind(backend);
  backend.moveToFinished = async (...args) => withOwnClock(await moveToFinished(...args)) as unknown[];
  const waitForJob = backend.waitForJob.bind(backend);
  backend.waitForJob = async (blockTimeout) => {
    const found = await waitForJob(blockTimeout);
    // A job that waits already has 0.
    return found === null || found.score === 0 ? found : { ...found, score: toOwnClock(found.score) };
  };
}
