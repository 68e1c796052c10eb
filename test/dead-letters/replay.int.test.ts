import { randomUUID } from 'node:crypto';
import { expect, inject, onTestFinished, test } from 'vitest';
import { replayDeadLetters } from '../../dead-letters/replay.ts';
import { storeDeadLetters, toDeadLetter } from '../../dead-letters/store.ts';
import { shardOfRequest } from '../../producers/requests/request-shard.ts';
import { loadConfig } from '../../shared/platform/config/config.ts';
import { createDatabase } from '../../shared/platform/postgres/database.ts';
import { createRedis } from '../../shared/platform/redis/redis.ts';
import { createNamespace, createTestDatabase } from '../support/fixtures.ts';
import { targetOf } from '../support/redis-target.ts';
import { queuedIn } from '../support/shards.ts';

test('dead letters: a replay puts requests into their shards, and executions into any', async () => {
  const database = createDatabase(loadConfig({ DATABASE_URL: await createTestDatabase() }).database, 'test');
  const redis = createRedis(targetOf(inject('redisUrl')), { role: 'consumer', name: 'test', logger: null });
  onTestFinished(async () => {
    redis.disconnect();
    await database.$disconnect();
  });
  await redis.connect();
  const namespace = createNamespace();
  const shards = 3;
  const dead = (queue: 'execution-log' | 'completed-request', record: object) =>
    toDeadLetter(JSON.stringify(record), '22P05', 'r', { queue, contractVersion: 1, jobId: 'job', producer: 'p' });
  await storeDeadLetters(database, [
    ...Array.from({ length: 30 }, () => dead('completed-request', { requestId: randomUUID() })),
    ...Array.from({ length: 5 }, () => dead('execution-log', { id: randomUUID() })),
  ]);
  const replay = (limit: number) =>
    replayDeadLetters(
      { database, redis, namespace, memoryShare: 1, shards },
      { filter: { state: 'open' }, repairs: [], limit, perSecond: 1_000, onProgress: () => undefined },
    );
  expect(await replay(100)).toEqual({ replayed: 35, skipped: [] });
  const redisUrl = inject('redisUrl');
  const requests = await queuedIn({ queue: 'completed-request', namespace, redisUrl }, shards);
  for (const [shard, records] of requests.entries()) {
    expect(records.length).toBeGreaterThan(0);
    for (const record of records) expect(shardOfRequest(JSON.stringify(record), shards)).toBe(shard);
  }
  expect((await queuedIn({ queue: 'execution-log', namespace, redisUrl }, shards)).flat()).toHaveLength(5);
});
