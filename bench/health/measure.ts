import { say } from '../../dev/steps.ts';
import { createDatabase } from '../../shared/platform/postgres/database.ts';
import { type ContenderResult, measureRounds } from '../rounds.ts';
import type { Testbed } from '../testbed.ts';
import { createDrain } from './drain.ts';
import { createHealthTarget } from './health-target.ts';
import { startHealthWorker } from './health-worker.ts';
import { measurePublishLatency, type PublishLatency } from './publish-latency.ts';

/** A worker of health events, in one of its two modes. */
export interface HealthModeResult {
  /** of a backlog; a row is an event */
  drained: ContenderResult;
  latency: PublishLatency;
}

export interface HealthResult {
  hardened: HealthModeResult;
  /** the loop of the original, one entry at a time */
  mirror: HealthModeResult;
}

/** The share of the events that the original's loop handles in about the same time. */
const mirrorShare = 1 / 20;

/**
 * Lets a worker in each mode drain backlogs with the same mix of events on the same servers, and then inform a lobby of occasional
 * events.
 *
 * @throws Error if a game's state does not match its events, or the lobby was not informed of it
 */
export async function measureHealth(testbed: Testbed, count: number): Promise<HealthResult> {
  const database = createDatabase(testbed.config.database, 'sluice bench of health events');
  testbed.onClose('the database client of health events', () => database.$disconnect());
  const target = createHealthTarget(database, testbed.redis);
  const hardened = await startHealthWorker(testbed, database, { mode: 'hardened', name: 'bench-hardened' });
  const mirror = await startHealthWorker(testbed, database, { mode: 'mirror', name: 'bench-mirror' });
  const drained = await measureRounds(
    testbed,
    target,
    { count, unit: 'events' },
    {
      hardened: createDrain(testbed, { database, target, worker: hardened, name: 'hardened', share: 1 }),
      mirror: createDrain(testbed, {
        database,
        target,
        worker: mirror,
        name: 'mirror, one by one',
        share: mirrorShare,
      }),
    },
  );
  say('health events: how soon the lobby is informed');
  return {
    hardened: { drained: drained.hardened, latency: await measurePublishLatency(testbed, database, hardened) },
    mirror: { drained: drained.mirror, latency: await measurePublishLatency(testbed, database, mirror) },
  };
}
