import { setTimeout as sleep } from 'node:timers/promises';
import type { Queue } from 'bullmq';

/** A question costs 0.4 ms of CPU, which counts as the producer's. */
const pollMs = 20;
const patienceMs = 120_000;

/**
 * Resolves when a queue has no jobs left. A job is acknowledged after its rows are committed, so this is when the last row is
 * visible. Asking Redis disturbs the run less than counting rows.
 *
 * @throws Error if a job failed, with its reason, or if jobs are left after two minutes
 */
export async function untilEmpty(queue: Queue): Promise<void> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const counts = await queue.getJobCounts('waiting', 'active', 'delayed', 'prioritized');
    if (Object.values(counts).every((jobs) => jobs === 0)) break;
    if (performance.now() > deadline)
      throw new Error(`queue ${queue.name} did not become empty: ${JSON.stringify(counts)}`);
    await sleep(pollMs);
  }
  const [failed] = await queue.getFailed(0, 0);
  if (failed !== undefined) throw new Error(`queue ${queue.name}: a job failed: ${failed.failedReason}`);
}
