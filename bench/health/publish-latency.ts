import { setTimeout as sleep } from 'node:timers/promises';
import { registerGames } from '../../demo/games/register-games.ts';
import { fieldOf } from '../../shared/contracts/health-event.ts';
import { firstStreamId } from '../../shared/contracts/stream-id.ts';
import type { Database } from '../../shared/platform/postgres/database.ts';
import { type Latency, toLatency } from '../statistics.ts';
import type { Testbed } from '../testbed.ts';
import { toFields } from './health-backlog.ts';
import type { HealthWorker } from './health-worker.ts';

/** From the XADD of an event until its snapshot is read from the lobby's stream. */
export interface PublishLatency extends Latency {
  /** the load, steady */
  eventsPerSecond: number;
}

const eventsPerSecond = 50;
const lastsMs = 5_000;
const patienceMs = 30_000;
const blockMs = 1_000;

/**
 * Writes events of running games at a low rate, one for each game, each of which changes its game's status. A lobby waits for the
 * snapshots.
 *
 * @throws Error if the lobby was not informed of one
 */
export async function measurePublishLatency(
  testbed: Testbed,
  database: Database,
  worker: HealthWorker,
): Promise<PublishLatency> {
  const count = (lastsMs / 1_000) * eventsPerSecond;
  const gameIds = Array.from({ length: count }, (_, game) => `bench-latency-${worker.mode}-${game}`);
  await registerGames(database, gameIds);
  const writtenAt = new Map<string, number>();
  const latenciesMs: number[] = [];
  const lobby = testbed.redis.duplicate();
  lobby.on('error', () => undefined);
  const giveUpAt = performance.now() + lastsMs + patienceMs;

  const listen = async (from: string): Promise<void> => {
    for (let place = from; latenciesMs.length < count; ) {
      if (performance.now() > giveUpAt)
        throw new Error(`${worker.mode}: the lobby was informed of ${latenciesMs.length} of ${count} events`);
      const read = await lobby.xread('BLOCK', blockMs, 'STREAMS', worker.lobbyStream, place);
      const now = performance.now();
      for (const [id, fields] of read?.[0]?.[1] ?? []) {
        place = id;
        const at = writtenAt.get(fieldOf(fields, 'game_id') ?? '');
        if (at !== undefined) latenciesMs.push(now - at);
      }
    }
  };
  const write = async (): Promise<void> => {
    const startedAt = performance.now();
    for (const [index, gameId] of gameIds.entries()) {
      await sleep(Math.max(0, startedAt + (index * 1_000) / eventsPerSecond - performance.now()));
      const occurredAtMs = Date.now();
      writtenAt.set(gameId, performance.now());
      await testbed.redis.xadd(
        worker.stream,
        '*',
        ...toFields({ gameId, type: 'container_exited', containerId: '000000000001', occurredAtMs }),
      );
    }
  };

  try {
    const [last] = await testbed.redis.xrevrange(worker.lobbyStream, '+', '-', 'COUNT', 1);
    await Promise.all([listen(last?.[0] ?? firstStreamId), write()]);
  } finally {
    lobby.disconnect();
  }
  return { eventsPerSecond, ...toLatency(latenciesMs) };
}
