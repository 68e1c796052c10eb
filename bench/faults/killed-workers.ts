import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '../../demo/random.ts';
import { untilTrue } from './arena.ts';
import type { Scenario } from './scenario.ts';
import { strikeUnderLoad } from './under-load.ts';

const kills = 20;
const everyMs = 1_000;

/** Short locks, so that the jobs of the killed come back while the run goes on. */
const shortLocks = { SLUICE_LOCK_DURATION_MS: '2000', SLUICE_STALLED_INTERVAL_MS: '500' };

/** SIGKILL for one worker after the other, each started again. */
export const killedWorkers: Scenario = (options) =>
  strikeUnderLoad(options, {
    scenario: `${kills} × SIGKILL, fleet of 3`,
    name: 'killed-workers',
    workers: 3,
    environment: shortLocks,
    async strike(arena) {
      const random = createRandom(7);
      for (let killed = 0; killed < kills; killed += 1) {
        await untilTrue('a worker that is up', () => arena.up().length > 0);
        const victims = arena.up();
        const victim = victims[Math.floor(random() * victims.length)];
        if (victim !== undefined) await arena.end(victim, 'SIGKILL');
        await sleep(everyMs);
      }
      await untilTrue('a whole fleet', () => arena.up().length === 3);
      return `${arena.endings.filter((how) => how.includes('SIGKILL')).length} killed`;
    },
  });
