import { join } from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';
import { settledAccounts, untilStoredMore } from '../../support/accounts.ts';
import { createDirectory, createTestDatabase, until } from '../../support/fixtures.ts';
import { lossWindow } from '../../support/loss-window.ts';
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
  await startWorkerProcess(place);
  await startWorkerProcess(place);
  const load = startLoad(place, { perSecond });
  await untilStoredMore(place.databaseUrl, perSecond);
  return { set, place, load, primary: await set.primary() };
}

test('Sentinel: when the primary is killed, the fleet finds the new one, and only what had not reached it is lost', async () => {
  const { place, load, primary, set } = await aFleetUnderLoad();
  const window = lossWindow(load, perSecond);
  await primary.kill();
  const flow = performance.now();
  await untilStoredMore(place.databaseUrl, 2 * perSecond);
  const seconds = (performance.now() - flow) / 1_000;
  await load.stop();

  const accounts = await settledAccounts(place, load.names);
  window.tell('Sentinel, primary killed', accounts, seconds);
  expect(await set.primary()).not.toBe(primary);
  expect(accounts).toMatchObject({ duplicated: [], deadLetters: 0, failedJobs: 0 });
  expect(accounts.lost.filter((name) => !window.contains(name))).toEqual([]);
});

test('Sentinel: a Sentinel that is away is passed over', async () => {
  const { place, load, set, primary } = await aFleetUnderLoad();
  const window = lossWindow(load, perSecond);
  // The first of the list, which everybody asks first.
  await set.sentinels[0]?.kill();
  await primary.kill();
  const flow = performance.now();
  await startWorkerProcess(place);
  await untilStoredMore(place.databaseUrl, 2 * perSecond);
  const seconds = (performance.now() - flow) / 1_000;
  await load.stop();

  const accounts = await settledAccounts(place, load.names);
  window.tell('Sentinel, primary and a Sentinel killed', accounts, seconds);
  expect(accounts).toMatchObject({ duplicated: [], deadLetters: 0, failedJobs: 0 });
  expect(accounts.lost.filter((name) => !window.contains(name))).toEqual([]);
});

test('Sentinel: an old primary that comes back with older data takes no part in it, and nothing is twice', async () => {
  const { place, load, primary, set } = await aFleetUnderLoad();
  const window = lossWindow(load, perSecond);
  await primary.kill();
  await untilStoredMore(place.databaseUrl, 2 * perSecond);
  // Jobs are in its data that were done with long ago; for a moment it takes itself for the primary.
  const flow = performance.now();
  await primary.start();
  await until(async () => String(await primary.client.call('ROLE')).startsWith('slave'));
  await untilStoredMore(place.databaseUrl, 2 * perSecond);
  const seconds = (performance.now() - flow) / 1_000;
  await load.stop();

  const accounts = await settledAccounts(place, load.names);
  window.tell('Sentinel, the old primary is back', accounts, seconds);
  expect(await set.primary()).not.toBe(primary);
  expect(accounts).toMatchObject({ duplicated: [], deadLetters: 0, failedJobs: 0 });
  expect(accounts.lost.filter((name) => !window.contains(name))).toEqual([]);
});
