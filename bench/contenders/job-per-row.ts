import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Queue } from 'bullmq';
import type { Stage } from '../stage.ts';
import type { Contender } from './contender.ts';
import { untilEmpty } from './queue-progress.ts';

export const jobPerRowQueue = 'bench-job-per-row';

/** Jobs in one call to Redis: the peer is measured by its worker, not by a slow producer. */
const jobsPerCall = 200;

/** What the manuals of BullMQ and Prisma lead to: a job for each row, and a worker process that calls `create` for it. */
export async function createJobPerRow(stage: Stage): Promise<Contender> {
  const worker = await startWorker(stage.environment);
  stage.onClose('the worker with a job per row', async () => {
    const gone = once(worker, 'exit');
    if (worker.kill('SIGKILL')) await gone;
  });
  const queue = new Queue(jobPerRowQueue, { connection: stage.redis });
  stage.onClose('the queue with a job per row', () => queue.close());
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

async function startWorker(environment: NodeJS.ProcessEnv): Promise<ChildProcess> {
  const child = fork(fileURLToPath(new URL('./job-per-row-worker.ts', import.meta.url)), {
    env: environment,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    detached: true,
  });
  const ended = once(child, 'exit').then(() => {
    throw new Error('the worker with a job per row did not come up');
  });
  await Promise.race([once(child, 'message'), ended]);
  ended.catch(() => undefined);
  return child;
}
