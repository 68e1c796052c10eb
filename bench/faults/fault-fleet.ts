import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Queue, QueueEvents } from 'bullmq';
import pg from 'pg';
import { type FleetWorker, type ProcessExit, startFleet } from '../../dev/fleet/fleet.ts';
import { queuePrefix } from '../../shared/contracts/queues.ts';
import { createCloseStack } from '../../shared/platform/lifecycle.ts';
import { readMemory } from '../memory.ts';
import { scrape } from '../scrape.ts';
import type { Testbed } from '../testbed.ts';

/** A fleet of its own on an empty table, with what a scenario can do to it and ask it. */
export interface FaultFleet {
  namespace: string;
  queue: Queue;
  /** Asks the database, over a connection of its own: the servers do not survive every fault. */
  query<Row extends pg.QueryResultRow>(sql: string): Promise<Row[]>;
  /** workers that have started and have not ended since */
  up(): FleetWorker[];
  /** Sends a worker a signal that ends it. The fleet restarts it. */
  end(worker: FleetWorker, signal: NodeJS.Signals): Promise<void>;
  /** how workers have ended, in order */
  exits: readonly ProcessExit[];
  /** jobs found stalled so far */
  stalls(): number;
  /** the sum of a metric over the running workers */
  metric(name: string, labels?: Record<string, string>): Promise<number>;
  /** Records that were already stored; of workers that have ended, until shortly before. */
  duplicates(): Promise<number>;
  /** memory of all workers, in MB */
  memory(): number;
  close(): Promise<void>;
}

/** Starts `workers` processes on the testbed's servers. `environment` overrides the testbed's. */
export async function startFaultFleet(
  testbed: Testbed,
  options: { name: string; workers: number; environment?: Record<string, string> },
): Promise<FaultFleet> {
  const closing = createCloseStack(() => undefined);
  testbed.onClose(options.name, closing.closeAll);
  const namespace = `faults-${options.name}`;
  const query = async <Row extends pg.QueryResultRow>(sql: string): Promise<Row[]> => {
    const client = new pg.Client({ connectionString: testbed.databaseUrl });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query<Row>(sql)).rows;
    } finally {
      await client.end();
    }
  };
  await testbed.reset();
  await query('truncate dead_letter, request, request_template');

  const exits: ProcessExit[] = [];
  const fleet = await startFleet({
    workers: options.workers,
    environment: { ...testbed.environment, SLUICE_NAMESPACE: namespace, ...options.environment },
    logDir: join(testbed.dir, 'logs', namespace),
    onCrash: (_worker, exit) => exits.push(exit),
  });
  closing.push('fleet', fleet.stop);
  const prefix = queuePrefix('execution-log', namespace);
  const queue = new Queue('execution-log', { connection: testbed.redis, prefix });
  queue.on('error', () => undefined);
  closing.push('queue', () => queue.close());
  const eventsRedis = testbed.redis.duplicate();
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
    exits,
    stalls: () => stalls,
    async end(worker, signal) {
      duplicatesOfEnded += await duplicatesOf(worker);
      if (worker.pid === null) return;
      // Its next URL shows that it is up again.
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
    memory: () => up().reduce((sum, { pid }) => sum + readMemory(pid ?? 0), 0) / 1_048_576,
    close: closing.closeAll,
  };
}

/** Repeats until it holds, for at most as long as a fleet may take to recover. */
export async function untilTrue(what: string, ask: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = performance.now() + 120_000;
  while (!(await ask())) {
    if (performance.now() > deadline) throw new Error(`faults: ${what} did not happen in two minutes`);
    await sleep(50);
  }
}
