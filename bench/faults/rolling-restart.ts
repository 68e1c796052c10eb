import { untilTrue } from './fault-fleet.ts';
import type { Scenario } from './scenario.ts';
import { strikeUnderLoad } from './under-load.ts';

const rounds = 3;

/** SIGTERM for each worker in turn, the next one once the last is back; with a fleet's default locks. */
export const rollingRestart: Scenario = (options) =>
  strikeUnderLoad(options, {
    scenario: `${rounds} rolling restarts, fleet of 3`,
    name: 'rolling-restart',
    workers: 3,
    async strike(fleet) {
      for (let round = 0; round < rounds; round += 1) {
        for (const worker of fleet.up()) {
          await fleet.end(worker, 'SIGTERM');
          await untilTrue('a worker that is back', () => fleet.up().length === 3);
        }
      }
      const inOrder = fleet.exits.filter(({ code }) => code === 0).length;
      return `${inOrder} of ${fleet.exits.length} exits with 0`;
    },
  });
