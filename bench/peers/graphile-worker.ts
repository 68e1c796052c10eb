import { type Contender, nameOf } from '../contenders/contender.ts';
import type { Testbed } from '../testbed.ts';
import { loadPeer } from './packages.ts';
import { startPeerWorkers } from './peer-workers.ts';
import { sendJobs } from './send-jobs.ts';
import { untilTrue } from './until-true.ts';

/** What is used of the package. @see https://worker.graphile.org/docs/library */
export interface GraphileWorker {
  makeWorkerUtils(options: { preset: GraphilePreset; logger: unknown }): Promise<{
    migrate(): Promise<void>;
    addJobs(jobs: readonly { identifier: string; payload: unknown }[]): Promise<unknown>;
    release(): Promise<void>;
  }>;
  run(options: {
    preset: GraphilePreset;
    logger: unknown;
    noHandleSignals: boolean;
    parsedCronItems: [];
    taskList: Record<string, (payload: unknown) => Promise<void>>;
  }): Promise<{ events: { on(event: 'job:error', listener: (details: { error: unknown }) => void): void } }>;
  Logger: new (factory: () => () => void) => unknown;
}

interface GraphilePreset {
  worker: {
    connectionString: string;
    concurrentJobs?: number;
    maxPoolSize?: number;
    localQueue?: { size: number };
    completeJobBatchDelay?: number;
  };
}

export const task = 'store_rows';

/** The best of those that were tried on two cores: one to two workers, two to four jobs at once, local queues of 8 to 40. */
export const graphileSettings = {
  workers: 2,
  rowsPerJob: 100,
  jobsPerCall: 5,
  callsInFlight: 2,
  concurrentJobs: 3,
  localQueueSize: 20,
  completeJobBatchDelay: 0,
};

/** Jobs of 100 rows through `addJobs`; its workers fetch them in batches into a local queue, and complete them in batches. */
export async function createGraphileWorker(testbed: Testbed): Promise<Contender> {
  const { workers } = graphileSettings;
  const name = nameOf('graphile-worker', workers);
  const { makeWorkerUtils, Logger } = await loadPeer<GraphileWorker>('graphile-worker');
  const producer = await makeWorkerUtils({
    preset: { worker: { connectionString: testbed.databaseUrl } },
    logger: new Logger(() => () => undefined),
  });
  testbed.onClose(`the producer of ${name}`, () => producer.release());
  await producer.migrate();
  const file = new URL('./graphile-worker-process.ts', import.meta.url);
  const processes = await startPeerWorkers(testbed, { name, file, workers });
  const watcher = await testbed.connect(`the connection that watches the jobs of ${name}`);
  return {
    name,
    share: 1,
    workerPids: processes.pids,
    async prepare() {
      await watcher.query('vacuum analyze graphile_worker._private_jobs');
    },
    async store(rows, count) {
      const sent = sendJobs(rows, count, graphileSettings, (jobs) =>
        producer.addJobs(jobs.map((payload) => ({ identifier: task, payload }))),
      );
      await Promise.all([processes.untilStored(count), sent]);
      await untilTrue(watcher, 'select not exists (select from graphile_worker._private_jobs)');
    },
  };
}
