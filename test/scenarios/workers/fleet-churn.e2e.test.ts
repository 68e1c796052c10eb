import { expect, inject, test } from 'vitest';
import { createRandom } from '../../../demo/random.ts';
import { allOnce, settledAccounts, untilStoredMore } from '../../support/accounts.ts';
import { connect, createNamespace, createTestDatabase, openQueue, until } from '../../support/fixtures.ts';
import { watchStalls } from '../../support/stall-watch.ts';
import { startLoad } from '../../support/steady-load.ts';
import { type Place, startWorkerProcess } from '../../support/worker-process.ts';

async function createPlace(): Promise<Place> {
  return { databaseUrl: await createTestDatabase(), redisUrl: inject('redisUrl'), namespace: createNamespace() };
}

function startWorkers(place: Place, count: number, environment: Record<string, string> = {}) {
  return Promise.all(Array.from({ length: count }, () => startWorkerProcess(place, environment)));
}

/** Workers that are killed, one after the other. */
const kills = Number(process.env['SLUICE_TEST_KILLS'] ?? 12);

/** Each kill is followed by a start, which takes a second of a core; a busy machine has less than one to give. */
const killTimeoutMs = 60_000 + kills * 6_000;

test(
  `fleet: ${kills} workers killed under load, each replaced, cost no record, and none is there twice`,
  async () => {
    const place = await createPlace();
    const random = createRandom(7);
    const fleet = await startWorkers(place, 3);
    const replacements: Promise<unknown>[] = [];
    const stalled = await watchStalls(place);
    const load = startLoad(place, { perSecond: 500 });

    for (let killed = 0; killed < kills; killed += 1) {
      await untilStoredMore(place.databaseUrl, 1);
      await until(() => fleet.length > 0);
      const [victim] = fleet.splice(Math.floor(random() * fleet.length), 1);
      victim?.kill('SIGKILL');
      const replaced = startWorkerProcess(place).then((replacement) => fleet.push(replacement));
      // Told when all are awaited.
      replaced.catch(() => undefined);
      replacements.push(replaced);
    }
    await Promise.all(replacements);
    await load.stop();

    expect(await settledAccounts(place, load.names)).toEqual(allOnce(load.names));
    // Some died with jobs in hand: else nothing was tried here.
    expect(stalled.length).toBeGreaterThan(0);
  },
  killTimeoutMs,
);

test('fleet: in a rolling restart each worker hands over in order, and no job stalls', async () => {
  const place = await createPlace();
  // Long enough that a busy machine renews them in time, short enough that a job left behind stalls within the test.
  const locks = { SLUICE_LOCK_DURATION_MS: '5000', SLUICE_STALLED_INTERVAL_MS: '1000' };
  const retiring = await startWorkers(place, 3, locks);
  const stalled = await watchStalls(place);
  const load = startLoad(place, { perSecond: 2_000 });
  const all = [...retiring];

  for (const worker of retiring) {
    await untilStoredMore(place.databaseUrl, 500);
    expect(await worker.metric('sluice_jobs_total', { outcome: 'stalled' })).toBe(0);
    worker.kill('SIGTERM');
    expect(await worker.ended).toBe(0);
    all.push(await startWorkerProcess(place, locks));
    const jobs = await openQueue(place.namespace).getJobs(['waiting', 'active', 'delayed']);
    expect(jobs.filter((job) => job?.stalledCounter)).toEqual([]);
  }
  await untilStoredMore(place.databaseUrl, 500);
  await load.stop();

  expect(await settledAccounts(place, load.names)).toEqual(allOnce(load.names));
  expect(stalled).toEqual([]);
  expect(all.flatMap((worker) => worker.log()).filter(({ msg }) => msg.includes('stalled'))).toEqual([]);
  for (const worker of all.slice(retiring.length))
    expect(await worker.metric('sluice_jobs_total', { outcome: 'stalled' })).toBe(0);
});

test('fleet: a worker that was frozen while another did its work fails only to acknowledge it, and works on', async () => {
  const place = await createPlace();
  const [frozen] = await startWorkers(place, 1);
  if (frozen === undefined) throw new Error('no worker');
  const stalled = await watchStalls(place);
  const load = startLoad(place, { perSecond: 0 });
  const client = await connect(place.databaseUrl);
  await client.query('begin');
  await client.query('lock table strategy_execution_log in access exclusive mode');
  load.add(1_000);
  // Its statement is under way, and waits for the table.
  await until(async () => (await frozen.metric('sluice_worker_held_records')) === 1_000);
  frozen.kill('SIGSTOP');
  const queue = openQueue(place.namespace);
  // At a full minute a report may have come before.
  const completedBefore = (await queue.getMetrics('completed')).meta.count;
  await client.query('rollback');

  const [other] = await startWorkers(place, 1);
  load.add(1_000);
  await load.stop();
  expect(await settledAccounts(place, load.names)).toEqual(allOnce(load.names));
  expect(stalled.length).toBeGreaterThan(0);
  const storedByOther = (await other?.metric('sluice_records_total', { outcome: 'stored' })) ?? Number.NaN;
  other?.kill('SIGTERM');
  expect(await other?.ended).toBe(0);

  load.add(1_000);
  await load.stop();
  // The last report is a job, too, and no other one follows.
  await load.observer.close();
  const expected = completedBefore + (await queue.getWaitingCount());
  frozen.kill('SIGCONT');
  expect(await settledAccounts(place, load.names)).toEqual(allOnce(load.names));
  // None of those that it had when it was frozen: they are not its own any more.
  const completed = () => frozen.metric('sluice_jobs_total', { outcome: 'completed' });
  await until(async () => (await completed()) >= expected);
  await until(async () => (await frozen.metric('sluice_worker_held_records')) === 0);
  expect(await completed()).toBe(expected);
  expect((await frozen.metric('sluice_records_total', { outcome: 'stored' })) + storedByOther).toBe(3_000);
  expect(await frozen.metric('sluice_jobs_total', { outcome: 'failed' })).toBe(0);
});
