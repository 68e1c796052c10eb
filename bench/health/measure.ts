import { say } from '../../dev/steps.ts';
import { createDatabase } from '../../shared/platform/postgres/database.ts';
import { type ContenderResult, measureRounds } from '../rounds.ts';
import type { Stage } from '../stage.ts';
import { createDrain } from './drain.ts';
import { createHealthArena } from './health-arena.ts';
import { startHealthWorker } from './health-worker.ts';
import { measureToldLatency, type ToldLatency } from './told-latency.ts';

/** A worker of health events, in one of its two modes. */
export interface HealthModeResult {
  /** of a backlog; a row is an event */
  drained: ContenderResult;
  latency: ToldLatency;
}

export interface HealthResult {
  hardened: HealthModeResult;
  /** the loop of the original, one entry at a time */
  mirror: HealthModeResult;
}

/** The original's loop takes so much of the events in about the same time. */
const mirrorShare = 1 / 20;

/**
 * Lets a worker of each mode drain backlogs of the same mix of events on the same servers, and then tell a lobby of events
 * that come now and then.
 *
 * @throws Error when a game is not as its events leave it, or the lobby was not told how it is
 */
export async function measureHealth(stage: Stage, count: number): Promise<HealthResult> {
  const database = createDatabase(stage.config.database, 'sluice bench of health events');
  stage.onClose('the database client of health events', () => database.$disconnect());
  const arena = createHealthArena(database, stage.redis);
  const hardened = await startHealthWorker(stage, database, { mode: 'hardened', name: 'bench-hardened' });
  const mirror = await startHealthWorker(stage, database, { mode: 'mirror', name: 'bench-mirror' });
  const drained = await measureRounds(
    stage,
    arena,
    { count, unit: 'events' },
    {
      hardened: createDrain(stage, { database, arena, worker: hardened, name: 'hardened', share: 1 }),
      mirror: createDrain(stage, { database, arena, worker: mirror, name: 'mirror, one by one', share: mirrorShare }),
    },
  );
  say('health events: how soon the lobby is told');
  return {
    hardened: { drained: drained.hardened, latency: await measureToldLatency(stage, database, hardened) },
    mirror: { drained: drained.mirror, latency: await measureToldLatency(stage, database, mirror) },
  };
}
