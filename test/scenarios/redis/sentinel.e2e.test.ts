import { join } from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';
import { untilStoredMore } from '../../support/accounts.ts';
import { watchFault } from '../../support/fault-under-load.ts';
import { createDirectory, createTestDatabase, until } from '../../support/fixtures.ts';
import { startSentinels } from '../../support/redis-sentinels.ts';
import { standFor } from '../../support/redis-target.ts';
import { startLoad } from '../../support/steady-load.ts';
import { startWorkerProcess } from '../../support/worker-process.ts';

const perSecond = 500;

/** A fleet of two workers whose Redis is told by Sentinels, under load, with rows coming in. */
async function aFleetUnderLoad() {
  const set = await startSentinels({ binary: inject('redisBinary'), dir: join(await createDirectory(), 'sentinels') });
  onTestFinished(set.stop);
  const namespace = `t-${Math.random().toString(36).slice(2)}`;
  const place = { databaseUrl: await createTestDatabase(), redisUrl: standFor(set.environment), namespace };
  await Promise.all([startWorkerProcess(place), startWorkerProcess(place)]);
  const load = startLoad(place, { perSecond });
  await untilStoredMore(place.databaseUrl, perSecond);
  return { set, place, load, primary: await set.primary() };
}

test('Sentinel: when the primary is killed, the fleet finds the new one, and only what had not reached it is lost', async () => {
  const { place, load, primary, set } = await aFleetUnderLoad();
  const fault = watchFault({ place, load }, { perSecond });
  await primary.kill();
  fault.happened();
  await untilStoredMore(place.databaseUrl, 2 * perSecond);
  fault.isOver();
  const accounts = await fault.settle('Sentinel, primary killed');
  expect(await set.primary()).not.toBe(primary);
  fault.expectLittleLost(accounts);
});

test('Sentinel: a Sentinel that is away is passed over', async () => {
  const { place, load, set, primary } = await aFleetUnderLoad();
  const fault = watchFault({ place, load }, { perSecond });
  // The first of the list, which everybody asks first.
  await set.sentinels[0]?.kill();
  await primary.kill();
  fault.happened();
  await startWorkerProcess(place);
  await untilStoredMore(place.databaseUrl, 2 * perSecond);
  fault.isOver();
  const accounts = await fault.settle('Sentinel, primary and a Sentinel killed');
  fault.expectLittleLost(accounts);
});

test('Sentinel: an old primary that comes back with older data takes no part in it, and nothing is twice', async () => {
  const { place, load, primary, set } = await aFleetUnderLoad();
  const fault = watchFault({ place, load }, { perSecond });
  await primary.kill();
  await untilStoredMore(place.databaseUrl, 2 * perSecond);
  // Jobs are in its data that were done with long ago; for a moment it takes itself for the primary.
  fault.happened();
  await primary.start();
  await until(async () => String(await primary.client.call('ROLE')).startsWith('slave'));
  await untilStoredMore(place.databaseUrl, 2 * perSecond);
  fault.isOver();
  const accounts = await fault.settle('Sentinel, the old primary is back');
  expect(await set.primary()).not.toBe(primary);
  fault.expectLittleLost(accounts);
});
