import { jobName } from '../../shared/contracts/queues.ts';
import { idsOf } from '../rows.ts';
import { takeAccounts, untilDrained } from './accounts.ts';
import { startFaultFleet } from './fault-fleet.ts';
import type { Scenario } from './scenario.ts';

const batches = 20;
const batchRecords = 1_000;
const badRecords = 7;
const badEvery = Math.floor(batchRecords / badRecords);

/** PostgreSQL refuses this character. The SDK would replace it; other producers may not. */
const poison = { errorMessage: 'a\0b' };

/** The statements that a batch may take: one, and two for each halving per bad record. */
const bound = 2 * badRecords * Math.log2(batchRecords) + 1;

/** Records that PostgreSQL refuses, a few in each batch, spread evenly. */
export const poisonedBatches: Scenario = async ({ testbed, rows }) => {
  const fleet = await startFaultFleet(testbed, {
    name: 'poison',
    workers: 1,
    environment: { SLUICE_BATCH_MAX_RECORDS: String(batchRecords) },
  });
  try {
    const startedAt = performance.now();
    const isBad = (index: number) => (index % batchRecords) % badEvery === badEvery - 1;
    const recordAt = (index: number) => ({ ...rows.record(index), ...(isBad(index) ? poison : {}) });
    for (let batch = 0; batch < batches; batch += 1) {
      const records = Array.from({ length: batchRecords }, (_, index) => recordAt(batch * batchRecords + index));
      await fleet.queue.add(jobName, { v: 1, producer: 'faults', epoch: 1, seq: batch + 1, records }, jobOptions);
    }
    await untilDrained([fleet.queue]);
    const drainSeconds = (performance.now() - startedAt) / 1_000;
    const accounts = await takeAccounts(fleet, idsOf(rows, batches * batchRecords));
    const statements = (await fleet.metric('sluice_batch_records_count')) / batches;
    return {
      scenario: `${badRecords} bad of ${batchRecords} in each of ${batches} batches`,
      ...accounts,
      drainSeconds,
      extra: `${statements.toFixed(1)} statements a batch, at most ${bound.toFixed(0)}; ${batches * badRecords} dead letters expected`,
    };
  } finally {
    await fleet.close();
  }
};

const jobOptions = { removeOnComplete: true };
