import { Queue } from 'bullmq';
import { type Contender, nameOf } from '../contenders/contender.ts';
import { untilEmpty } from '../contenders/queue-progress.ts';
import type { Testbed } from '../testbed.ts';
import { startPeerWorkers } from './peer-workers.ts';
import { sendJobs } from './send-jobs.ts';

export const coalescingQueue = 'bench-coalescing';

/** The best of those that were tried on two cores: one to two workers, inserts of 100 to 1,000 rows. */
export const coalescingSettings = {
  workers: 1,
  rowsPerJob: 1,
  jobsPerCall: 500,
  callsInFlight: 2,
  concurrency: 1_000,
  rowsPerInsert: 500,
  maxWaitMs: 20,
  insertsInFlight: 2,
};

/**
 * The shape of Langfuse: a BullMQ job for each row, and workers that collect the rows of many jobs into one insert, by number and
 * by time. Langfuse acknowledges a job as soon as its row is collected, so that a crash loses what was not yet written. Here a job
 * is acknowledged after its insert, as with all others.
 */
export async function createCoalescing(testbed: Testbed): Promise<Contender> {
  const { workers } = coalescingSettings;
  const name = nameOf('the shape of Langfuse', workers);
  const file = new URL('./coalescing-process.ts', import.meta.url);
  const processes = await startPeerWorkers(testbed, { name, file, workers });
  const queue = new Queue(coalescingQueue, { connection: testbed.redis });
  testbed.onClose(`the queue of ${name}`, () => queue.close());
  return {
    name,
    share: 1 / 2,
    workerPids: processes.pids,
    async store(rows, count) {
      const sent = sendJobs(rows, count, coalescingSettings, (jobs) =>
        queue.addBulk(jobs.map(([data]) => ({ name: 'row', data, opts: { removeOnComplete: true } }))),
      );
      await Promise.all([processes.untilStored(count), sent]);
      await untilEmpty(queue);
    },
  };
}
