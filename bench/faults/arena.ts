import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Queue, QueueEvents } from 'bullmq';
import pg from 'pg';
import { type FleetWorker, startFleet } from '../../dev/fleet/fleet.ts';
import { queuePrefix } from '../../shared/contracts/queues.ts';
import { createCloseStack } from '../../shared/platform/lifecycle.ts';
import { scrape } from '../scrape.ts';
import type { Stage } from '../stage.ts';

const run = promisify(execFile);

/** A fleet of its own on an empty table, and what a scenario does to it and asks of it. */
export interface Arena {
  namespace: string;
  queue: Queue;
  /** Asks the database, over a connection of its own: the servers do not outlive every fault. */
  query<Row extends pg.QueryResultRow>(sql: string): Promise<Row[]>;
  /** workers that have come up and were not ended since */
  up(): FleetWorker[];
  /** Sends a worker a signal that ends it. The fleet starts it again. */
  end(worker: FleetWorker, signal: NodeJS.Signals): Promise<void>;
  /** how workers have ended, in order */
  endings: readonly string[];
  /** jobs found stalled so far */
  stalls(): number;
  /** the sum of a metric over the workers that are up */
  metric(name: string, labels?: Record<string, string>): Promise<number>;
  /** Records that were there already; of workers that were ended, those until just before. */
  duplicates(): Promise<number>;
  /** memory of all workers, in MB */
  memory(): Promise<number>;
  close(): Promise<void>;
}

/** Starts `workers` processes on the stage's servers. `environment` is put over the stage's. */
export async function openArena(
  stage: Stage,
  options: { name: string; workers: number; environment?: Record<string, string> },
): Promise<Arena> {
  const closing = createCloseStack(() => undefined);
  stage.onClose(options.name, closing.closeAll);
  const namespace = `faults-${options.name}`;
  const query = async <Row extends pg.QueryResultRow>(sql: string): Promise<Row[]> => {
    const client = new pg.Client({ connectionString: stage.databaseUrl });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query<Row>(sql)).rows;
    } finally {
      await client.end();
    }
  };
  await stage.reset();
  await query('truncate dead_letter');

  const endings: string[] = [];
  const fleet = await startFleet({
    workers: options.workers,
    environment: { ...stage.environment, SLUICE_NAMESPACE: namespace, ...options.environment },
    logDir: join(stage.dir, 'logs', namespace),
    onCrash: (_worker, how) => endings.push(how),
  });
  closing.push('fleet', fleet.stop);
  const prefix = queuePrefix('execution-log', namespace);
  const queue = new Queue('execution-log', { connection: stage.redis, prefix });
  queue.on('error', () => undefined);
  closing.push('queue', () => queue.close());
  const eventsRedis = stage.redis.duplicate();
  eventsRedis.on('error', () => undefined);
  closing.push('events connection', async () => eventsRedis.disconnect());
  const events = new QueueEvents('execution-log', { connection: eventsRedis, prefix });
  events.on('error', () => undefined);
  let stalls = 0;
  events.on('stalled', () => {
    stalls += 1;
  });
  await events.waitUntilReady();
  closing.push('events', () => events.close());

  const up = (): FleetWorker[] => fleet.workers.filter(({ pid, url }) => pid !== null && url !== null);
  const duplicatesOf = ({ url }: FleetWorker): Promise<number> =>
    scrape(`${url}/metrics`, 'sluice_records_total', { outcome: 'duplicate' }).catch(() => 0);
  let duplicatesOfEnded = 0;
  return {
    namespace,
    queue,
    query,
    up,
    endings,
    stalls: () => stalls,
    async end(worker, signal) {
      duplicatesOfEnded += await duplicatesOf(worker);
      if (worker.pid === null) return;
      // Its next url says that it is up again.
      worker.url = null;
      process.kill(worker.pid, signal);
    },
    async metric(name, labels = {}) {
      const values = await Promise.all(up().map(({ url }) => scrape(`${url}/metrics`, name, labels)));
      return values.reduce((sum, value) => sum + value, 0);
    },
    async duplicates() {
      const values = await Promise.all(up().map(duplicatesOf));
      return values.reduce((sum, value) => sum + value, duplicatesOfEnded);
    },
    async memory() {
      const pids = up().map(({ pid }) => String(pid));
      const { stdout } = await run('ps', ['-o', 'rss=', '-p', pids.join(',')]);
      return stdout.split('\n').reduce((sum, line) => sum + Number(line), 0) / 1_024;
    },
    close: closing.closeAll,
  };
}

/** Asks until it is so, at most as long as a fleet may take to come back. */
export async function untilTrue(what: string, ask: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = performance.now() + 120_000;
  while (!(await ask())) {
    if (performance.now() > deadline) throw new Error(`faults: ${what} did not happen in two minutes`);
    await sleep(50);
  }
}
