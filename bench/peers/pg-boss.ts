import { type Contender, nameOf } from '../contenders/contender.ts';
import type { Testbed } from '../testbed.ts';
import { loadPeer } from './packages.ts';
import { startPeerWorkers } from './peer-workers.ts';
import { sendJobs } from './send-jobs.ts';
import { untilTrue } from './until-true.ts';

/** What is used of the package. @see https://timgit.github.io/pg-boss */
export interface PgBossModule {
  PgBoss: new (options: {
    connectionString: string;
    max: number;
    supervise: boolean;
    schedule: boolean;
    useListenNotify: boolean;
    registerInstance: boolean;
  }) => PgBoss;
}

interface PgBoss {
  on(event: 'error', listener: (error: unknown) => void): void;
  start(): Promise<unknown>;
  stop(options: { graceful: boolean }): Promise<void>;
  createQueue(name: string, options: { partition: boolean; notify: boolean }): Promise<void>;
  insert(name: string, jobs: readonly { data: object }[]): Promise<unknown>;
  deleteAllJobs(name: string): Promise<unknown>;
  work(
    name: string,
    options: {
      batchSize: number;
      localConcurrency: number;
      pollingIntervalSeconds: number;
      notifyPollingIntervalSeconds: number;
      burstWhenBatchFull: boolean;
    },
    handler: (jobs: readonly { data: { rows: unknown[] } }[]) => Promise<void>,
  ): Promise<string>;
}

export const bossQueue = 'rows';

/** The best of those that were tried on two cores: one to two workers, batches of 1 to 20 jobs, two to four at once. */
export const bossSettings = {
  workers: 2,
  rowsPerJob: 100,
  jobsPerCall: 10,
  callsInFlight: 2,
  batchSize: 10,
  localConcurrency: 2,
  pollingIntervalSeconds: 0.5,
};

/** Its maintenance is off: nothing expires while the bench runs, and jobs are deleted between two runs. */
export const bossOptions = (connectionString: string) => ({
  connectionString,
  max: bossSettings.localConcurrency + 2,
  supervise: false,
  schedule: false,
  useListenNotify: true,
  registerInstance: false,
});

/** Jobs of 100 rows through `insert`; its workers fetch several at once and store them in one statement. */
export async function createPgBoss(testbed: Testbed): Promise<Contender> {
  const { workers } = bossSettings;
  const name = nameOf('pg-boss', workers);
  const { PgBoss } = await loadPeer<PgBossModule>('pg-boss');
  const boss = new PgBoss(bossOptions(testbed.databaseUrl));
  // Without a listener an error ends the process; what concerns a call also rejects it.
  boss.on('error', () => undefined);
  await boss.start();
  testbed.onClose(`the producer of ${name}`, () => boss.stop({ graceful: false }));
  await boss.createQueue(bossQueue, { partition: true, notify: true });
  const file = new URL('./pg-boss-process.ts', import.meta.url);
  const processes = await startPeerWorkers(testbed, { name, file, workers });
  const watcher = await testbed.connect(`the connection that watches the jobs of ${name}`);
  return {
    name,
    share: 1,
    workerPids: processes.pids,
    async prepare() {
      await boss.deleteAllJobs(bossQueue);
      await watcher.query('vacuum analyze pgboss.job');
    },
    async store(rows, count) {
      const sent = sendJobs(rows, count, bossSettings, (jobs) =>
        boss.insert(
          bossQueue,
          jobs.map((records) => ({ data: { rows: records } })),
        ),
      );
      await Promise.all([processes.untilStored(count), sent]);
      await untilTrue(watcher, "select not exists (select from pgboss.job where state <> 'completed')");
    },
  };
}
