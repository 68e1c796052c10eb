import type { Rows } from '../rows.ts';
import { type FaultFleet, untilTrue } from './fault-fleet.ts';
import type { FaultResult } from './scenario.ts';

/** Resolves when the queue has no job left to process: then everything is committed that will be. */
export async function untilDrained({ queue }: FaultFleet): Promise<void> {
  await untilTrue('an empty queue', async () => {
    const counts = await queue.getJobCounts('waiting', 'active', 'delayed', 'prioritized');
    return Object.values(counts).every((jobs) => jobs === 0);
  });
}

/** Counts what happened to the first `recorded` rows, by their ids. */
export async function takeAccounts(
  fleet: FaultFleet,
  rows: Pick<Rows, 'record'>,
  recorded: number,
): Promise<Pick<FaultResult, 'recorded' | 'stored' | 'lost' | 'duplicated' | 'deadLetters' | 'failed' | 'stalls'>> {
  const stored = await fleet.query<{ id: string }>('select id from strategy_execution_log');
  const dead = await fleet.query<{ id: string }>(`select split_part(record_key, '.', 1) as id from dead_letter`);
  const failed: string[] = (await fleet.queue.getFailed()).flatMap((job) =>
    job.data.records.map(({ id }: { id: string }) => id),
  );
  const storedIds = new Set(stored.map(({ id }) => id));
  const known = new Set([...storedIds, ...dead.map(({ id }) => id), ...failed]);
  let lost = 0;
  for (let index = 0; index < recorded; index += 1) if (!known.has(rows.record(index).id)) lost += 1;
  return {
    recorded,
    stored: stored.length,
    lost,
    duplicated: stored.length - storedIds.size,
    deadLetters: dead.length,
    failed: failed.length,
    stalls: fleet.stalls(),
  };
}
