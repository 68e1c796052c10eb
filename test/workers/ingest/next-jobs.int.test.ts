import { expect, test } from 'vitest';
import { queuePrefix } from '../../../shared/contracts/queues.ts';
import { createNextJobs } from '../../../workers/ingest/next-jobs.ts';
import { createNamespace, openQueue } from '../../support/fixtures.ts';
import { connectRedis } from '../../support/health.ts';

async function setUp(sizes: readonly number[]) {
  const namespace = createNamespace();
  const queue = openQueue(namespace);
  await queue.addBulk(sizes.map((size) => ({ name: 'chunk', data: 'x'.repeat(size) })));
  let known = Promise.withResolvers<void>();
  let looks = 0;
  const redis = connectRedis();
  const next = createNextJobs({
    redis,
    queueKey: `${queuePrefix('execution-log', namespace)}:execution-log`,
    onKnown: () => {
      looks += 1;
      known.resolve();
    },
  });
  const look = async () => {
    known = Promise.withResolvers();
    next.look();
    await known.promise;
  };
  return { next, look, redis, looks: () => looks };
}

/** JSON has quotes around it. */
const quotes = 2;

test('next jobs: nothing is known before a look, then the largest of those that come next', async () => {
  const { next, look } = await setUp([100, 5_000, 200]);
  expect(next.largestBytes).toBeNull();
  await look();
  expect(next.largestBytes).toBe(5_000 + quotes);
});

test('next jobs: a look is good for as many fetches as there were jobs, and for none of an empty queue', async () => {
  const { next, look } = await setUp([100, 100]);
  await look();
  next.countFetch();
  expect(next.largestBytes).toBe(100 + quotes);
  next.countFetch();
  expect(next.largestBytes).toBeNull();
});

test('next jobs: nobody is told of an empty queue, who would only look again', async () => {
  const { next, looks, redis } = await setUp([]);
  next.look();
  await redis.ping();
  await redis.ping();
  expect([next.largestBytes, looks()]).toEqual([null, 0]);
});

test('next jobs: a job that was not to be expected ends what was known, until there is another look', async () => {
  const { next, look } = await setUp([100]);
  await look();
  next.forget();
  expect(next.largestBytes).toBeNull();
  await look();
  expect(next.largestBytes).toBe(100 + quotes);
});
