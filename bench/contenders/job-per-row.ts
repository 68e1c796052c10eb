import { Queue } from 'bullmq';
import { startChild } from '../start-child.ts';
import type { Testbed } from '../testbed.ts';
import type { Contender } from './contender.ts';
import { untilEmpty } from './queue-progress.ts';

export const jobPerRowQueue = 'bench-job-per-row';

/** Jobs in one call to Redis: the worker is to be the bottleneck, not a slow producer. */
const jobsPerCall = 200;

/** What the manuals of BullMQ and Prisma suggest: a job for each row, and a worker process that calls `create` for it. */
export async function createJobPerRow(testbed: Testbed): Promise<Contender> {
  const file = new URL('./job-per-row-worker.ts', import.meta.url);
  const { child: worker } = await startChild(testbed, { name: 'the worker with a job per row', file });
  const queue = new Queue(jobPerRowQueue, { connection: testbed.redis });
  testbed.onClose('the queue with a job per row', () => queue.close());
  return {
    name: 'BullMQ, a job per row, create',
    share: 1 / 20,
    workerPids: () => (worker.pid === undefined ? [] : [worker.pid]),
    async store(rows, count) {
      for (let start = 0; start < count; start += jobsPerCall) {
        const indexes = Array.from({ length: Math.min(jobsPerCall, count - start) }, (_, offset) => start + offset);
        await queue.addBulk(
          indexes.map((index) => ({ name: 'row', data: rows.record(index), opts: { removeOnComplete: true } })),
        );
      }
      await untilEmpty(queue);
    },
  };
}
