import { expect, inject, onTestFinished, test } from 'vitest';
import { type ShardName, shardNames } from '../../../../shared/contracts/queues.ts';
import { findShards, searchShards } from '../../../../shared/platform/redis/find-shards.ts';
import { createRedis } from '../../../../shared/platform/redis/redis.ts';
import { createNamespace, openQueue } from '../../../support/fixtures.ts';
import { targetOf } from '../../../support/redis-target.ts';

function setUp() {
  const namespace = createNamespace();
  const redis = createRedis(targetOf(inject('redisUrl')), { role: 'producer', name: 'test', logger: null });
  onTestFinished(() => redis.disconnect());
  const add = (shard: ShardName) => openQueue(namespace, inject('redisUrl'), shard).add('chunk', {});
  return { namespace, redis, add };
}

test('shards: the first is there always, the others since they had their first job, whatever became of it', async () => {
  const { namespace, redis, add } = setUp();
  await redis.connect();
  const find = () => findShards(redis, { queue: 'execution-log', namespace });
  expect(await find()).toEqual(['execution-log']);
  const job = await add('execution-log-12');
  await add('execution-log-255');
  await add('completed-request-3');
  await job.remove();
  expect(await find()).toEqual(['execution-log', 'execution-log-12', 'execution-log-255']);
});

test('shards: of a Redis that does not answer, the known ones are there', async () => {
  const { namespace, redis } = setUp();
  redis.disconnect();
  const known = shardNames('execution-log', 4);
  expect(await findShards(redis, { queue: 'execution-log', namespace, known })).toEqual(known);
  expect(await findShards(redis, { queue: 'execution-log', namespace })).toEqual(['execution-log']);
});

test('shards: of a Redis that does not answer, it is said that nobody knows', async () => {
  const { namespace, redis } = setUp();
  redis.disconnect();
  const { found, unanswered } = await searchShards(redis, { queue: 'execution-log', namespace });
  expect([found, unanswered.length]).toEqual([['execution-log'], 255]);
});
