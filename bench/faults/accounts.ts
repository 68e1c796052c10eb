import type { Queue } from 'bullmq';
import { chunkOfJob } from '../../shared/platform/chunk-of-job.ts';
import { type FaultFleet, untilTrue } from './fault-fleet.ts';
import type { FaultResult } from './scenario.ts';

/** Resolves when the queues have no job left to process: then everything is committed that will be. */
export async function untilDrained(queues: readonly Queue[]): Promise<void> {
  await untilTrue('queues without a job', async () => {
    const counts = await Promise.all(
      queues.map((queue) => queue.getJobCountByTypes('waiting', 'active', 'delayed', 'prioritized')),
    );
    return counts.every((jobs) => jobs === 0);
  });
}

/**
 * Counts what happened to records, by their ids.
 *
 * @param queues those that the records went through
 */
export async function takeAccounts(
  fleet: FaultFleet,
  ids: readonly string[],
  queues: readonly Queue[] = [fleet.queue],
): Promise<Pick<FaultResult, 'recorded' | 'stored' | 'lost' | 'duplicated' | 'deadLetters' | 'failed' | 'stalls'>> {
  const stored = await fleet.query<{ id: string }>(
    'select id from strategy_execution_log union all select id from request',
  );
  const dead = await fleet.query<{ id: string }>(`select split_part(record_key, '.', 1) as id from dead_letter`);
  const failedJobs = (await Promise.all(queues.map((queue) => queue.getFailed()))).flat();
  const failed = failedJobs.flatMap((job) =>
    (chunkOfJob<{ id?: string; requestId?: string }>(job)?.records ?? []).map(
      ({ id, requestId }) => id ?? requestId ?? '',
    ),
  );
  const storedIds = new Set(stored.map(({ id }) => id));
  const known = new Set([...storedIds, ...dead.map(({ id }) => id), ...failed]);
  return {
    recorded: ids.length,
    stored: stored.length,
    lost: ids.filter((id) => !known.has(id)).length,
    duplicated: stored.length - storedIds.size,
    deadLetters: dead.length,
    failed: failed.length,
    stalls: fleet.stalls(),
  };
}
