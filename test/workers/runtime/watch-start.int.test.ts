import { expect, inject, onTestFinished, test } from 'vitest';
import { loadConfig, requireRedis } from '../../../shared/platform/config/config.ts';
import { createLogger } from '../../../shared/platform/logging/logger.ts';
import { createDatabase } from '../../../shared/platform/postgres/database.ts';
import { createRedis } from '../../../shared/platform/redis/redis.ts';
import type { Role } from '../../../workers/runtime/role.ts';
import { watchStart } from '../../../workers/runtime/watch-start.ts';
import { createTestDatabase, until } from '../../support/fixtures.ts';
import { redisEnvironment } from '../../support/redis-target.ts';

async function setUp(notReadyReason: () => string | null) {
  const config = loadConfig({
    DATABASE_URL: await createTestDatabase(),
    ...redisEnvironment(inject('redisUrl')),
    SLUICE_STUCK_AFTER_MS: '1000',
    SLUICE_DATABASE_STATEMENT_TIMEOUT_MS: '500',
  });
  const logger = createLogger({ level: 'silent', name: 'test' });
  const database = createDatabase(config.database, 'test');
  const redis = createRedis(requireRedis(config.redis), { role: 'worker', name: 'test', logger });
  const begun = Promise.withResolvers<void>();
  const inner: Role = {
    heldRecords: 0,
    start: () => begun.promise,
    notReadyReason,
    livenessFailure: () => null,
    stop: async () => true,
  };
  const role = watchStart(inner, { config, database, redis });
  onTestFinished(async () => {
    await role.stop(1_000);
    redis.disconnect();
    await database.$disconnect();
  });
  return { role, begin: begun.resolve };
}

test('start: a role that has not begun is not ready, and is stuck when nothing it knows of is in the way', async () => {
  const { role, begin } = await setUp(() => null);
  const started = role.start();
  expect(role.notReadyReason()).toBe('starting, taking no work yet');
  expect(role.livenessFailure()).toBeNull();
  await until(() =>
    role.livenessFailure()?.startsWith('stuck: Redis and PostgreSQL answer, but it has not started to work for '),
  );
  begin();
  await started;
  expect([role.notReadyReason(), role.livenessFailure()]).toEqual([null, null]);
});

test('start: a role that knows what it waits for is not ready, and not stuck however long that takes', async () => {
  let waitsFor: string | null = 'waits for somebody';
  let looks = 0;
  const { role } = await setUp(() => {
    looks += 1;
    return waitsFor;
  });
  void role.start();
  // Five of them are as long as it takes to be stuck.
  await until(() => looks > 12);
  expect([role.notReadyReason(), role.livenessFailure()]).toEqual(['waits for somebody', null]);
  waitsFor = null;
  await until(role.livenessFailure);
});
