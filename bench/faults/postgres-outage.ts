import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startPostgres } from '../../dev/servers/postgres.ts';
import { stopProcess } from '../../dev/servers/processes.ts';
import type { Scenario } from './scenario.ts';
import { strikeUnderLoad } from './under-load.ts';

const lookEveryMs = 500;

/** PostgreSQL is killed, stays away for a while, and is restarted on its data directory. */
export const postgresOutage: Scenario = (options) =>
  strikeUnderLoad(options, {
    scenario: `PostgreSQL away for ${options.outageSeconds} s`,
    name: 'postgres-outage',
    workers: 2,
    async strike(fleet, _load, testbed) {
      const dir = join(testbed.dir, 'postgres');
      const server = await startPostgres({ dir });
      const before = fleet.memory();
      await stopProcess(server.pid, 'SIGKILL', 10_000);
      const backAt = performance.now() + options.outageSeconds * 1_000;
      let most = before;
      let mostActive = 0;
      while (performance.now() < backAt) {
        most = Math.max(most, fleet.memory());
        mostActive = Math.max(mostActive, await fleet.queue.getActiveCount());
        await sleep(lookEveryMs);
      }
      const after = fleet.memory();
      const waiting = await fleet.queue.getWaitingCount();
      const again = await startPostgres({ dir, port: server.port });
      testbed.onClose('the PostgreSQL that was started again', again.stop);
      const memory = [before, most, after].map(Math.round).join(', ');
      return `memory of the workers before, at most, at the end: ${memory} MB; ${mostActive} jobs in hand, ${waiting} waiting`;
    },
  });
