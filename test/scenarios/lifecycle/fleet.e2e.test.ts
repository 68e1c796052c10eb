import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { expect } from 'vitest';
import { startFleet } from '../../../dev/fleet/fleet.ts';
import { createExecutionObserver } from '../../../producers/index.ts';
import { anExecution } from '../../support/execution.ts';
import { until } from '../../support/fixtures.ts';
import { inheritedEnvironment } from '../../support/inherited-environment.ts';
import { describeLifecycle, type Place, useOwnRedis } from '../../support/lifecycle.ts';

useOwnRedis();

describeLifecycle('fleet', async (place) => {
  const { fleet, stop } = await aFleet(place);
  return { start: async () => fleet, stop, giveWork: () => giveWork(place), checkWork: () => isSettled(place) };
});

describeLifecycle('fleet that is told to stop again and again', async (place) => {
  const { fleet, stop } = await aFleet(place);
  return {
    start: async () => fleet,
    async stop() {
      const first = stop();
      await until(async () => (await logOf(place)).includes('worker is stopping'));
      // A second signal that is more than a second later ends a worker at once.
      await sleep(1_200);
      await Promise.all([first, stop()]);
    },
    giveWork: async () => {
      const letEnd = await giveWork(place);
      return async () => {
        await sleep(2_000);
        await letEnd();
      };
    },
    checkWork: () => isSettled(place),
  };
});

async function aFleet({ databaseUrl, dir, namespace, redisUrl }: Place) {
  const fleet = await startFleet({
    workers: 1,
    environment: {
      ...inheritedEnvironment(),
      ...{ DATABASE_URL: databaseUrl, REDIS_URL: redisUrl, SLUICE_NAMESPACE: namespace },
      SLUICE_PARTITION_DAYS_AHEAD: '1',
    },
    logDir: dir,
    onCrash: (worker, how) => {
      throw new Error(`${worker.name} ${how}`);
    },
  });
  return { fleet, stop: () => fleet.stop() };
}

const records = 50;

/** Records that are being stored for as long as the test wants: what waits for a lock is delayed after some seconds. */
async function giveWork(place: Place): Promise<() => unknown> {
  const { client, namespace, redisUrl } = place;
  await until(async () => (await logOf(place)).includes('"queue":"execution-log","concurrency"'));
  await client.query(`
    create table hold (); insert into hold default values;
    create function wait() returns trigger language plpgsql as $$
      begin while exists (select from hold) loop perform pg_sleep(0.05); end loop; return null; end $$;
    create trigger wait before insert on strategy_execution_log for each statement execute function wait();`);
  const observer = createExecutionObserver({
    ...{ redisUrl, namespace, registry: new Registry(), logger: { warn: () => undefined } },
    producer: { sampleRate: 1 },
  });
  for (let recorded = 0; recorded < records; recorded += 1) observer.record(anExecution());
  await observer.close();
  await until(async () => {
    const { rowCount } = await client.query(
      `select from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'`,
    );
    return rowCount;
  });
  return () => client.query('delete from hold');
}

async function isSettled(place: Place): Promise<void> {
  expect((await place.client.query('select from strategy_execution_log')).rowCount).toBe(records);
  expect(await logOf(place)).toContain('everything is settled');
}

function logOf({ dir }: Place): Promise<string> {
  return readFile(join(dir, 'worker-1.log'), 'utf8');
}
