import { untilTrue } from './arena.ts';
import type { Scenario } from './scenario.ts';
import { strikeUnderLoad } from './under-load.ts';

const rounds = 3;

/** SIGTERM for each worker in turn, the next one when the last is back; with the locks that a fleet has by default. */
export const rollingRestart: Scenario = (options) =>
  strikeUnderLoad(options, {
    scenario: `${rounds} rolling restarts, fleet of 3`,
    name: 'rolling-restart',
    workers: 3,
    async strike(arena) {
      for (let round = 0; round < rounds; round += 1) {
        for (const worker of arena.up()) {
          await arena.end(worker, 'SIGTERM');
          await untilTrue('a worker that is back', () => arena.up().length === 3);
        }
      }
      const inOrder = arena.endings.filter((how) => how === 'ended with code 0').length;
      return `${inOrder} of ${arena.endings.length} exits with 0`;
    },
  });
