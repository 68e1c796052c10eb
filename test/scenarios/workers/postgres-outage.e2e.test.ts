import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect, inject, test } from 'vitest';
import { allOnce, settledAccounts, untilStoredMore } from '../../support/accounts.ts';
import { createNamespace, openQueue, until } from '../../support/fixtures.ts';
import { startMigratedPostgres } from '../../support/migrated-postgres.ts';
import { recordsOf } from '../../support/records-of.ts';
import { startLoad } from '../../support/steady-load.ts';
import { calmLocks, startWorkerProcess } from '../../support/worker-process.ts';

const run = promisify(execFile);

/** How long PostgreSQL is away. */
const outageSeconds = Number(process.env['SLUICE_TEST_OUTAGE_SECONDS'] ?? 8);

const slots = 20;
const perSecond = 400;
/** Half a second's records weigh as much as what the worker may hold; a whole outage's, in any form, weigh more than the bound. */
const trace = Array.from({ length: 100 }, (_, step) => ({
  nodeId: `node-${step}`,
  type: 'compare',
  value: 'x'.repeat(160),
}));

/**
 * In MB. The slots hold 5 MB of JSON, which parsed, joined and on its way through the driver is some 20 MB, and the heap
 * may grow several times before it is collected: on a busy machine by 89 were seen. A worker that took in all that comes
 * would hold 75 MB of JSON after eight seconds, and several times that parsed.
 */
const maxGrowth = 150;

test(
  `worker: ${outageSeconds} s without PostgreSQL cost no record, and it holds no more than its slots and its memory`,
  async () => {
    const postgres = await startMigratedPostgres();
    const place = { databaseUrl: postgres.url, redisUrl: inject('redisUrl'), namespace: createNamespace() };
    const worker = await startWorkerProcess(place, {
      ...calmLocks,
      SLUICE_WORKER_CONCURRENCY: String(slots),
      SLUICE_RETRY_MAX_MS: '200',
    });
    const queue = openQueue(place.namespace);
    const load = startLoad(place, { perSecond, execution: { trace } });
    await untilStoredMore(postgres.url, 2 * perSecond);

    await postgres.kill();
    await until(async () => (await queue.getActiveCount()) === slots);
    const before = await residentMegabytes(worker.pid);
    const waitingBefore = await queue.getWaitingCount();
    const recordedBefore = load.names.length;
    // A job is active a moment before its records are held.
    const held = await until(async () => {
      const active = (await queue.getJobs(['active'])).flatMap((job) => recordsOf(job)).length;
      return (await worker.metric('sluice_worker_held_records')) === active && active;
    });
    await sleep(outageSeconds * 1_000);
    const recorded = load.names.length - recordedBefore;
    expect(await queue.getActiveCount()).toBe(slots);
    expect(await worker.metric('sluice_worker_held_records')).toBe(held);
    expect(await queue.getWaitingCount()).toBeGreaterThan(waitingBefore);
    expect(recorded).toBeGreaterThan(held);
    expect((await residentMegabytes(worker.pid)) - before).toBeLessThan(maxGrowth);

    await postgres.startAgain();
    await untilStoredMore(postgres.url, 1);
    await load.stop();
    expect(await settledAccounts(place, load.names)).toEqual(allOnce(load.names));
  },
  60_000 + 2 * outageSeconds * 1_000,
);

/** What a process has of the machine's memory, its heap and all. */
async function residentMegabytes(pid: number): Promise<number> {
  const { stdout } = await run('ps', ['-o', 'rss=', '-p', String(pid)]);
  return Number(stdout) / 1_024;
}
