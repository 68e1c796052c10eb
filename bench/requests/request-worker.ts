import { Queue } from 'bullmq';
import { queuePrefix } from '../../shared/contracts/queues.ts';
import { untilEmpty } from '../contenders/queue-progress.ts';
import { startChild } from '../start-child.ts';
import type { Testbed } from '../testbed.ts';

/** A worker process with a queue of its own. It runs only the role of requests. */
export interface RequestWorker {
  pid: number;
  /** Resolves when everything in the queue is committed. @throws Error if a job failed or the worker ended */
  settle(): Promise<void>;
}

const cliFile = new URL('../../cli/main.ts', import.meta.url);

/** Starts the worker. Resolves when it is up. `environment` overrides the testbed's. */
export async function startRequestWorker(
  testbed: Testbed,
  namespace: string,
  environment: NodeJS.ProcessEnv = {},
): Promise<RequestWorker> {
  const name = `the worker of ${namespace}`;
  const { child } = await startChild(testbed, {
    name,
    file: cliFile,
    args: ['worker', 'completed-request'],
    environment: { SLUICE_NAMESPACE: namespace, SLUICE_WORKER_PORT: '0', ...environment },
  });
  const queue = new Queue('completed-request', {
    connection: testbed.redis,
    prefix: queuePrefix('completed-request', namespace),
  });
  testbed.onClose(`the queue of ${namespace}`, () => queue.close());
  return {
    pid: child.pid ?? 0,
    async settle() {
      await untilEmpty(queue);
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`${name} has ended`);
    },
  };
}
