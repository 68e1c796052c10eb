import { Worker } from 'bullmq';
import { queuePrefix, shardNames } from '../../shared/contracts/queues.ts';
import { loadConfig, requireRedis } from '../../shared/platform/config/config.ts';
import { createRedis } from '../../shared/platform/redis/redis.ts';

/** A process that takes all jobs of a queue and does nothing with them. Sends a message when it has acknowledged the last one. */
const [shards, jobs] = process.argv.slice(2).map(Number) as [number, number];
const { redis, namespace } = loadConfig(process.env);
const connection = createRedis(requireRedis(redis), { role: 'worker', name: 'sluice:bench', logger: null });
let left = jobs;
for (const shard of shardNames('execution-log', shards)) {
  const worker = new Worker(shard, async () => undefined, {
    connection,
    prefix: queuePrefix(shard, namespace),
    concurrency: 100,
    removeOnComplete: { count: 0 },
  });
  worker.on('completed', () => {
    left -= 1;
    if (left === 0) process.send?.({});
  });
}
