import { say } from '../../dev/steps.ts';
import type { ProducerSettings } from '../../shared/platform/config/producer-config.ts';
import { createSluice } from '../contenders/sluice.ts';
import { type ContenderResult, measureRun, type Run, summarise, warmUpShare } from '../rounds.ts';
import type { Rows } from '../rows.ts';
import type { Testbed } from '../testbed.ts';
import type { RedisPlace } from './redis-places.ts';

/** How fast one shape of the fleet stored the rows, and what a row cost. */
export interface FleetResult extends ContenderResult {
  /** servers of Redis that take writes */
  nodes: number;
  shards: number;
  workers: number;
}

const workerCounts = [1, 2, 4];
const shardCounts = [1, 4];
const rounds = 3;

/**
 * Measures each shape of the fleet round by round, so that other activity on the machine affects all of them. Only the one that
 * is measured runs.
 *
 * @throws Error if a row was lost
 */
export async function measureFleets(
  testbed: Testbed,
  places: readonly RedisPlace[],
  rows: Rows,
): Promise<FleetResult[]> {
  const shapes = places.flatMap((place) =>
    shardCounts.flatMap((shards) => workerCounts.map((workers) => ({ place, shards, workers, runs: [] as Run[] }))),
  );
  for (let round = 1; round <= rounds; round += 1) {
    for (const { place, shards, workers, runs } of shapes) {
      const run = await measureFleet(testbed, { place, shards, workers }, rows);
      runs.push(run);
      say(
        `round ${round} of ${rounds}: ${place.nodes} × Redis, shards: ${shards}, workers: ${workers}: ${Math.round(run.rowsPerSecond)} rows/s`,
      );
    }
  }
  return shapes.map(({ place: { nodes }, shards, workers, runs }) => ({
    ...{ nodes, shards, workers },
    ...summarise(`${nodes} × Redis, shards: ${shards}, workers: ${workers}`, runs),
  }));
}

/** One run of a fleet that is started for it, after one that is not measured. */
export async function measureFleet(
  testbed: Testbed,
  { place, ...fleet }: { place: RedisPlace; shards: number; workers: number; producer?: Partial<ProducerSettings> },
  rows: Rows,
): Promise<Run> {
  const contender = await createSluice(testbed, { ...fleet, redis: place });
  try {
    const measured = { cpu: place.cpu, target: testbed, contender };
    await measureRun(measured, rows, Math.ceil(rows.count * warmUpShare));
    return await measureRun(measured, rows, rows.count);
  } finally {
    await contender.close();
  }
}
