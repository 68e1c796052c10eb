import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type pg from 'pg';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import type { PrivateServer } from '../../dev/servers/processes.ts';
import { startRedis } from '../../dev/servers/redis.ts';
import { type Config, loadConfig } from '../../shared/platform/config/config.ts';
import { createLogger } from '../../shared/platform/logging/logger.ts';
import { createRedis, disconnect, type Redis as OurRedis } from '../../shared/platform/redis/redis.ts';
import { redisAt } from '../../shared/platform/redis/redis-target.ts';
import { createMemoryBudget } from '../../workers/runtime/memory-budget.ts';
import type { RoleDeps } from '../../workers/runtime/role.ts';
import { createWorkerDatabase } from '../../workers/runtime/worker-database.ts';
import { connect, createDirectory, createNamespace, createTestDatabase } from './fixtures.ts';
import { testDirectoryPrefix } from './leftovers.ts';
import { openFilesIn, watchProcess } from './process-watch.ts';

/** One life of a part that runs for long. */
export interface Life {
  /** Begins. Of a part that begins when it is made, the first thing that it is asked to do. */
  start(): Promise<unknown>;
  stop(): Promise<unknown>;
  /** Gives it work that does not end by itself, and resolves when it has it in hand. @returns lets it end */
  giveWork(): Promise<() => unknown>;
  /** @throws when the work that it had in hand did not end as it should */
  checkWork?(): Promise<void>;
}

/** Servers that nobody else uses, with nothing in them, and who may look into them. */
export interface Place {
  redisUrl: string;
  databaseUrl: string;
  namespace: string;
  /** a directory that is empty */
  dir: string;
  redis: Redis;
  client: pg.Client;
  /** What a role works with, on connections that are closed when the life is over. */
  openDeps(environment?: Record<string, string>): RoleDeps & { config: Config };
}

/** How many turns of the event loop a start is given before it is stopped: in each it may be somewhere else. */
const turnsBeforeStop = [0, 1, 3, 10, 40];

let server: PrivateServer;

/** Starts the Redis that the parts of a test file share, one after the other. */
export function useOwnRedis(): void {
  let dir = '';
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), `${testDirectoryPrefix}${process.pid}-`));
    server = await startRedis({ binary: inject('redisBinary'), dir: join(dir, 'redis') });
  });
  afterAll(async () => {
    await server.stop();
    await rm(dir, { recursive: true, force: true });
  });
}

/**
 * What holds for every part that runs for long: `start` and `stop` may be called at any time, at the same time and again, and
 * when `stop` has resolved nothing of it is left: no timer, socket, process or open file, no listener on the process or on a
 * connection that it was given, no connection to Redis or PostgreSQL.
 */
export function describeLifecycle(name: string, create: (place: Place) => Promise<Life> | Life): void {
  const live = async (scenario: (life: Life) => Promise<void>, lives = 1): Promise<void> => {
    const place = await openPlace();
    for (let life = 0; life < lives; life += 1) {
      const left = watchProcess();
      await scenario(await create(place));
      await place.leave();
      await nextTurn();
      // A timer has no other end to wait for.
      expect(left().filter((line) => line.startsWith('Timeout'))).toEqual([]);
      await expect.poll(async () => [...left(), ...(await place.left())], { timeout: 2_000 }).toEqual([]);
    }
  };

  describe(`lifecycle: ${name}`, () => {
    test('started twice, it has started once', () =>
      live(async (life) => {
        await Promise.all([life.start(), life.start()]);
        await life.start();
        await life.stop();
      }));

    test('stopped twice, both end alike, and so does a third', () =>
      live(async (life) => {
        await life.start();
        const [first, second] = await Promise.all([life.stop(), life.stop()]);
        expect(second).toEqual(first);
        expect(await life.stop()).toEqual(first);
      }));

    test('stopped while it starts, it does not go on starting', async () => {
      const turns = [...turnsBeforeStop];
      await live(async (life) => {
        const started = Promise.allSettled([life.start()]);
        for (let turn = turns.shift() ?? 0; turn > 0; turn -= 1) await nextTurn();
        await life.stop();
        await started;
      }, turnsBeforeStop.length);
    });

    test('stopped before it was started, it does not start any more', () =>
      live(async (life) => {
        await life.stop();
        await life.start();
      }));

    test('stopped with work in hand, it ends the work', () =>
      live(async (life) => {
        await life.start();
        const letEnd = await life.giveWork();
        const stopped = life.stop();
        await nextTurn();
        await letEnd();
        await stopped;
        await life.checkWork?.();
      }));
  });
}

async function openPlace(): Promise<Place & { leave(): Promise<void>; left(): Promise<string[]> }> {
  const redis = new Redis(server.url);
  onTestFinished(() => redis.disconnect());
  await redis.flushall();
  const databaseUrl = await createTestDatabase();
  const client = await connect(databaseUrl);
  const dir = await createDirectory();
  const namespace = createNamespace();
  const owned: { redis: OurRedis; listeners: Map<string | symbol, number>; close(): Promise<void> }[] = [];
  const listenersLeft: string[] = [];
  /** those that connect later have higher ids */
  const ownId = await redis.client('ID');

  const openDeps: Place['openDeps'] = (environment = {}) => {
    const config = loadConfig({
      DATABASE_URL: databaseUrl,
      REDIS_URL: server.url,
      SLUICE_NAMESPACE: namespace,
      SLUICE_PARTITION_DAYS_AHEAD: '1',
      ...environment,
    });
    const logger = createLogger({ level: 'silent', name: 'test' });
    const database = createWorkerDatabase(config.database, 'sluice lifecycle');
    const connection = createRedis(redisAt(server.url), { role: 'worker', name: 'lifecycle', logger });
    owned.push({
      redis: connection,
      listeners: countListeners(connection),
      async close() {
        await disconnect(connection);
        await database.$disconnect();
      },
    });
    const memory = createMemoryBudget({ maxBytes: 64 * 1_048_576, statementBytes: 64 * 1_048_576 });
    return { config, database, redis: connection, logger, registry: new Registry(), memory };
  };

  const leave = async (): Promise<void> => {
    for (const { redis: connection, listeners, close } of owned.splice(0)) {
      await close();
      for (const [event, count] of countListeners(connection))
        if (count > (listeners.get(event) ?? 0)) listenersLeft.push(`a listener on Redis for ${String(event)}`);
    }
  };
  onTestFinished(leave);

  return {
    ...{ redisUrl: server.url, databaseUrl, namespace, dir, redis, client, openDeps },
    leave,
    async left() {
      const clients = String(await redis.client('LIST'))
        .trim()
        .split('\n');
      const sessions = await client.query<{ name: string }>(
        `select application_name || ': ' || query as name from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid()`,
      );
      return [
        ...listenersLeft,
        ...clients.filter((line) => Number(/^id=(\d+)/.exec(line)?.[1]) > ownId),
        ...sessions.rows.map((session) => session.name),
        ...(await openFilesIn(dir)),
      ];
    },
  };
}

function countListeners(emitter: OurRedis): Map<string | symbol, number> {
  return new Map(emitter.eventNames().map((event) => [event, emitter.listenerCount(event)]));
}
