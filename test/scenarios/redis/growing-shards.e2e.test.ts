import { join } from 'node:path';
import { inject, onTestFinished, test } from 'vitest';
import { startRedisCluster } from '../../../dev/servers/redis-cluster.ts';
import { queuePrefix } from '../../../shared/contracts/queues.ts';
import { settledAccounts } from '../../support/accounts.ts';
import { watchFault } from '../../support/fault-under-load.ts';
import { createDirectory, createNamespace, createTestDatabase, until } from '../../support/fixtures.ts';
import { standFor } from '../../support/redis-target.ts';
import { startLoad } from '../../support/steady-load.ts';
import { startWorkerProcess } from '../../support/worker-process.ts';

const perSecond = 1_000;
/** Until a primary is killed, until the queue grows, and until the last one. */
const quarter = 4_000;

test('shards: a primary is killed and two shards are added in the middle of the load, and the accounts add up', async () => {
  const cluster = await startRedisCluster({
    binary: inject('redisBinary'),
    dir: join(await createDirectory(), 'cluster'),
  });
  onTestFinished(cluster.stop);
  const namespace = createNamespace();
  const place = { databaseUrl: await createTestDatabase(), redisUrl: standFor(cluster.environment), namespace };
  await Promise.all([startWorkerProcess(place), startWorkerProcess(place)]);

  const four = startLoad(place, { perSecond, prefix: 'four', producer: { shards: 4 } });
  await until(() => four.names.length > quarter);
  const { primary } = await cluster.ownerOf(`${queuePrefix('execution-log-1', namespace)}:x`);
  const fault = watchFault({ place, load: four }, { perSecond });
  await primary.kill();
  await until(() => four.names.length > 2 * quarter);
  // As producers are replaced one after the other: for a while, some know of six shards and some of four.
  const six = startLoad(place, { perSecond, prefix: 'six', producer: { shards: 6 } });
  await until(() => six.names.length > quarter / 2);
  await four.stop();
  await primary.start();
  await until(() => six.names.length > quarter);
  await six.stop();

  const recorded = [...four.names, ...six.names];
  const accounts = await settledAccounts(place, recorded);
  const { stored, lost, duplicated } = accounts;
  process.stdout.write(
    `cluster, 4 shards, primary killed, 2 shards added: ${recorded.length} recorded, ${stored} stored, ${lost.length} lost, ${duplicated.length} twice\n`,
  );
  fault.expectLittleLost(accounts);
}, 120_000);
