import { expect, onTestFinished, test } from 'vitest';
import { createShardList } from '../../../console/server/queues/shard-list.ts';
import { createReadiness } from '../../../console/server/readiness.ts';
import { loadConfig } from '../../../shared/platform/config/config.ts';
import { createDatabase } from '../../../shared/platform/postgres/database.ts';
import { createRedis } from '../../../shared/platform/redis/redis.ts';
import { createTestDatabase } from '../../support/fixtures.ts';
import { startFragileRedis } from '../../support/private-servers.ts';
import { targetOf } from '../../support/redis-target.ts';

test('readyz of the console: a Redis that answers PING and refuses the rest is told of, a full one can be looked at', async () => {
  const { url } = await startFragileRedis();
  const redis = createRedis(targetOf(url), { role: 'consumer', name: 'test', logger: null });
  const database = createDatabase(loadConfig({ DATABASE_URL: await createTestDatabase() }).database, 'test');
  onTestFinished(async () => {
    redis.disconnect();
    await database.$disconnect();
  });
  await redis.connect();
  const whyNotReady = createReadiness({
    redis,
    database,
    namespace: 'sluice',
    shardList: createShardList({ redis, namespace: 'sluice' }),
  });
  expect(await whyNotReady()).toBeNull();

  await redis.set('{sluice:execution-log}:execution-log:wait', 'no list');
  expect(await whyNotReady()).toMatch(/^Redis refuses to show the queues: WRONGTYPE: /);
  await redis.del('{sluice:execution-log}:execution-log:wait');
  await redis.acl('SETUSER', 'default', '-eval');
  expect(await whyNotReady()).toMatch(/^Redis refuses to show the queues: NOPERM \(eval\): /);
  await redis.acl('SETUSER', 'default', '+@all');
  await redis.config('SET', 'maxmemory', '1mb');
  expect(await whyNotReady()).toBeNull();
});
