import { setTimeout as sleep } from 'node:timers/promises';
import { registerGames } from '../../demo/games/register-games.ts';
import { firstStreamId } from '../../shared/contracts/stream-id.ts';
import type { Database } from '../../shared/platform/postgres/database.ts';
import type { Contender } from '../contenders/contender.ts';
import type { Testbed } from '../testbed.ts';
import { createHealthBacklog } from './health-backlog.ts';
import type { HealthTarget } from './health-target.ts';
import type { HealthWorker } from './health-worker.ts';

/** Often enough for a run of seconds, and rarely enough not to slow down what is measured. */
const pollMs = 20;
const patienceMs = 120_000;

/** Only the number of events matters. */
export interface EventCount {
  count: number;
  unit: 'events';
}

/**
 * Makes a contender of a worker: it drains a backlog. The whole backlog enters the stream in one step, so that it is complete when
 * the worker sees its first entry: a transaction is filled before the clock starts, and executed then. The backlog is drained
 * when the worker has saved that it has read all of it, and the lobby was informed of the last event.
 */
export function createDrain(
  testbed: Testbed,
  {
    database,
    target,
    worker,
    name,
    share,
  }: {
    database: Database;
    target: HealthTarget;
    worker: HealthWorker;
    name: string;
    share: number;
  },
): Contender<EventCount> {
  // A transaction belongs to a connection.
  const filler = testbed.redis.duplicate();
  filler.on('error', () => undefined);
  testbed.onClose(`the connection that fills the stream of ${name}`, async () => filler.disconnect());
  let runs = 0;
  let lastGameId = '';

  return {
    name,
    share,
    workerPids: () => [worker.pid],
    async prepare(_rows, count) {
      runs += 1;
      const backlog = createHealthBacklog(`bench-${worker.mode}-${runs}`, count, Date.now());
      lastGameId = backlog.lastGameId;
      await registerGames(database, backlog.gameIds);
      await target.expect(backlog, worker.lobbyStream);
      await filler.multi({ pipeline: false });
      await Promise.all(backlog.entries.map((fields) => filler.xadd(worker.stream, '*', ...fields)));
    },
    async store() {
      const replies = await filler.exec();
      const lastId = String(replies?.at(-1)?.[1] ?? firstStreamId);
      const deadline = performance.now() + patienceMs;
      while ((await worker.lastPublishedGame()) !== lastGameId || !(await worker.hasApplied(lastId))) {
        worker.check();
        if (performance.now() > deadline) throw new Error(`${name}: the backlog was not drained in two minutes`);
        await sleep(pollMs);
      }
    },
  };
}
