import { once } from 'node:events';
import { createServer, get, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Queue } from 'bullmq';
import { Registry } from 'prom-client';
import { expect } from 'vitest';
import { createConsole } from '../../../console/server/create-console.ts';
import { watchFleet } from '../../../dev/fleet/fleet-watch.ts';
import { createGateway } from '../../../gateway/create-gateway.ts';
import { watchMemoryOf } from '../../../producers/core/memory-watch.ts';
import { createCompletedRequestSender, createExecutionObserver } from '../../../producers/index.ts';
import {
  jobName,
  maintenanceQueue,
  type QueueName,
  queuePrefix,
  type ShardName,
  shardNames,
} from '../../../shared/contracts/queues.ts';
import { createRedis, disconnect } from '../../../shared/platform/redis/redis.ts';
import { redisAt } from '../../../shared/platform/redis/redis-target.ts';
import { createCompletedRequest } from '../../../workers/completed-requests/role.ts';
import { createExecutionLog } from '../../../workers/execution-log/role.ts';
import { acquireLease } from '../../../workers/health-events/lease.ts';
import { createLobbyRelay } from '../../../workers/health-events/outbox/lobby-relay.ts';
import { createHealthEvents } from '../../../workers/health-events/role.ts';
import { createMaintenance } from '../../../workers/maintenance/role.ts';
import { startPartitionKeeper } from '../../../workers/partitions/partition-keeper.ts';
import { startProbeServer } from '../../../workers/runtime/probe-server.ts';
import { startProgressWatch } from '../../../workers/runtime/progress-watch.ts';
import type { Role, RoleDeps } from '../../../workers/runtime/role.ts';
import { watchStart } from '../../../workers/runtime/watch-start.ts';
import { anInput } from '../../support/a-gateway.ts';
import { anExecution } from '../../support/execution.ts';
import { until, untilBlocked } from '../../support/fixtures.ts';
import { addEvent, createHealthKeys, insertRuntimeRecord } from '../../support/health.ts';
import { describeLifecycle, type Life, type Place, useOwnRedis } from '../../support/lifecycle.ts';
import { metricValue } from '../../support/metric-value.ts';
import { aRequest } from '../../support/request.ts';
import { aSpill, filesIn, someChunks } from '../../support/spill.ts';

const stopWithinMs = 20_000;
const silent = { warn: () => undefined };
/** Where no Redis is. */
const nowhere = 'redis://127.0.0.1:1';

useOwnRedis();

describeLifecycle('execution observer', ({ redisUrl, namespace }) => anObserver({ redisUrl, namespace }));

describeLifecycle('execution observer, with a spill while Redis is away', ({ namespace, dir }) => {
  const life = anObserver({ redisUrl: nowhere, namespace, dir, timeoutMs: 0 });
  return {
    ...life,
    async checkWork() {
      expect((await filesIn(dir)).size).toBeGreaterThan(0);
      expect(life.observer.stats()).toMatchObject({ dropped: 0, spilled: 201 });
    },
  };
});

describeLifecycle('request sender', ({ redisUrl, namespace }) => {
  const registry = new Registry();
  const sender = createCompletedRequestSender({ redisUrl, namespace, registry, logger: silent });
  return {
    start: () => sender.send(aRequest()).catch(() => undefined),
    stop: () => sender.close(),
    async giveWork() {
      for (let sent = 0; sent < 200; sent += 1) await sender.send(aRequest());
      return () => undefined;
    },
    async checkWork() {
      expect(sender.stats()).toMatchObject({ accepted: 201, sent: 201 });
      expect(registry.getMetricsAsArray()).toEqual([]);
    },
  };
});

describeLifecycle('spill', ({ dir }) => {
  const { spill } = aSpill(dir);
  let appended: Promise<unknown> = Promise.resolve();
  return {
    start: () => spill.look(),
    stop: () => spill.close(),
    async giveWork() {
      appended = spill.append(someChunks('work', 50, { bytes: 100_000 }));
      return () => undefined;
    },
    async checkWork() {
      expect(await appended).toEqual({ status: 'written' });
      expect((await filesIn(dir)).size).toBe(1);
    },
  };
});

describeLifecycle('memory watch', async ({ openDeps }) => {
  const { redis } = openDeps();
  await redis.connect();
  const watch = watchMemoryOf(redis, 'lifecycle', 0.9);
  return {
    start: () => watch.join(redis),
    async stop() {
      watch.leave(redis);
      await disconnect(redis);
    },
    async giveWork() {
      // As if it were the first look: the next one is some time away.
      watch.leave(redis);
      void watch.join(redis);
      return () => undefined;
    },
  };
});

describeLifecycle('role execution-log', (place) => ({
  ...aRole(place, createExecutionLog),
  ...recordWork(place, 'execution-log', 'strategy_execution_log'),
}));

describeLifecycle('role execution-log, with several shards', (place) => {
  const { start, stop } = aRole(place, createExecutionLog);
  const work = recordWork(place, 'execution-log', 'strategy_execution_log');
  const shards = shardNames('execution-log', 4);
  return {
    start,
    stop,
    async giveWork() {
      const letEnd = await work.giveWork();
      for (const shard of shards)
        await addJob(place, shard, jobName, { v: 999, producer: 'newer', epoch: 1, seq: 2, records: [{}] });
      const delayed = (shard: ShardName) =>
        place.redis.zcard(`${queuePrefix(shard, place.namespace)}:${shard}:delayed`);
      await until(async () => (await Promise.all(shards.map(delayed))).every((jobs) => jobs > 0));
      return letEnd;
    },
    async checkWork() {
      await work.checkWork?.();
      for (const shard of shards) await nothingIsActive(place, shard);
    },
  };
});

describeLifecycle('role completed-request', (place) => ({
  ...aRole(place, createCompletedRequest),
  ...recordWork(place, 'completed-request', 'request'),
}));

describeLifecycle('role health-events, hardened', (place) => aHealthRole(place, 'hardened', 'stream_offset'));

describeLifecycle('role health-events, mirror', (place) => aHealthRole(place, 'mirror', 'runtime_record'));

describeLifecycle('lobby relay', async (place) => {
  const { database, redis } = place.openDeps();
  const { lobbyStream } = createHealthKeys();
  await database.$executeRaw`delete from sluice.stream_lease`;
  const lease = await acquireLease(database, { label: 'l', holder: 'a test', ttlMs: 60_000 });
  if (lease === null) throw new Error('the lease was not to be had');
  const now = <T>(work: () => Promise<T>): Promise<T> => work();
  const relay = createLobbyRelay({
    ...{ database, redis, lease, lobbyStream },
    ...{ onDatabase: now, onRedis: now, now: Date.now, onPublished: () => undefined, onAnnounced: () => undefined },
  });
  return {
    start: async () => void relay.run(),
    stop: () => relay.stop(),
    async giveWork() {
      await place.client.query(
        `insert into lobby_outbox (label, game_id, current_turn, runtime_status, engine_health_summary, occurred_at_ms)
         values ('l', 'game-1', 1, 'running', 'healthy', 5)`,
      );
      relay.wake();
      return () => undefined;
    },
    async checkWork() {
      expect(await place.redis.xlen(lobbyStream)).toBe(1);
    },
  };
});

describeLifecycle('role maintenance', (place) => {
  const { role, start, stop } = aRole(place, createMaintenance);
  return {
    ...{ role, start, stop },
    async giveWork() {
      await place.client.query('begin; lock table dead_letter');
      await addJob(place, maintenanceQueue, 'purge', {});
      await untilBlocked(place.databaseUrl);
      return () => place.client.query('rollback');
    },
    checkWork: () => nothingIsActive(place, maintenanceQueue),
  };
});

describeLifecycle('partition keeper', async ({ client, databaseUrl, openDeps }) => {
  // Somebody reads the table, so the keeper tries again and again.
  await client.query('begin; select from strategy_execution_log limit 1');
  const stopping = new AbortController();
  const keeper = startPartitionKeeper({
    ...openDeps({ SLUICE_PARTITION_DAYS_AHEAD: '3' }),
    ...{ signal: stopping.signal, patienceMs: 1, soonMs: 1 },
  });
  keeper.ready.catch(() => undefined);
  return {
    start: () => keeper.ready,
    async stop() {
      await keeper.stop();
      await client.query('rollback');
    },
    async giveWork() {
      await untilBlocked(databaseUrl);
      return () => undefined;
    },
  };
});

describeLifecycle('progress watch', () => {
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<number>();
  let isSlow = false;
  const watch = startProgressWatch(
    {
      settledJobs: () => 0,
      heldRecords: () => 0,
      async takeableJobs() {
        if (!isSlow) return 0;
        asked.resolve();
        return answer.promise;
      },
      exemption: () => null,
      databaseAnswers: async () => true,
      now: () => performance.now(),
    },
    50,
  );
  return {
    start: async () => undefined,
    stop: async () => watch.stop(),
    async giveWork() {
      isSlow = true;
      await asked.promise;
      return () => answer.resolve(0);
    },
  };
});

describeLifecycle('probe server', async () => {
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<null>();
  const server = await startProbeServer({
    ...{ host: '127.0.0.1', port: 0, metricsToken: null, registries: [], livenessFailure: () => null },
    whyNotReady() {
      asked.resolve();
      return answer.promise;
    },
  });
  return {
    start: () => ask(`${server.url}/healthz`),
    stop: () => server.stop(),
    async giveWork() {
      void ask(`${server.url}/readyz`);
      await asked.promise;
      return () => answer.resolve(null);
    },
  };
});

describeLifecycle('fleet watch', () => {
  const worker = { name: 'worker-1', roles: [], url: nowhere.replace('redis', 'http'), pid: 1 };
  const server = createServer();
  const watch = watchFleet({ workers: [worker], metricsToken: null, say: () => undefined });
  return {
    start: async () => undefined,
    stop: () => watch.stop(),
    async giveWork() {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      worker.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      await once(server, 'request');
      return () => {
        const closed = once(server, 'close');
        server.close();
        server.closeAllConnections();
        return closed;
      };
    },
  };
});

describeLifecycle('console server', async ({ client, databaseUrl, openDeps }) => {
  const { app, start } = await createConsole(openDeps());
  let answered: Promise<number | null> = Promise.resolve(null);
  return {
    start: async () => start(),
    stop: () => app.close(),
    async giveWork() {
      const url = await app.listen({ host: '127.0.0.1', port: 0 });
      await client.query('begin; lock table strategy_execution_log');
      answered = ask(`${url}/api/v1/executions`);
      await untilBlocked(databaseUrl);
      return () => client.query('rollback');
    },
    async checkWork() {
      expect(await answered).toBe(200);
    },
  };
});

describeLifecycle('gateway', async ({ redisUrl, openDeps }) => {
  const { config, logger, registry } = openDeps({ SLUICE_GATEWAY_PORT: '0' });
  const redis = createRedis(redisAt(redisUrl), { role: 'consumer', name: 'test', logger: null });
  const gateway = createGateway({ config, target: redisAt(redisUrl), redis, logger, registry });
  let answered: Promise<number | null> = Promise.resolve(null);
  return {
    start: () => gateway.start(),
    async stop() {
      await gateway.stop(stopWithinMs);
      await disconnect(redis);
    },
    async giveWork() {
      const body = JSON.stringify(anInput());
      const { port } = new URL(String(gateway.url));
      const headers = { 'content-type': 'application/json', 'content-length': body.length };
      const call = request({ host: '127.0.0.1', port, path: '/v1/executions', method: 'POST', headers, agent: false });
      answered = new Promise((resolve) => {
        call.once('error', () => resolve(null));
        call.once('response', (answer) => resolve(answer.resume().statusCode ?? null));
      });
      call.write(body.slice(0, 5));
      await until(async () => (await metricValue(registry, 'sluice_gateway_bodies')) === 1);
      return () => call.end(body.slice(5));
    },
    async checkWork() {
      expect(await answered).toBe(202);
    },
  };
});

function anObserver(options: { redisUrl: string; namespace: string; dir?: string; timeoutMs?: number }) {
  const { redisUrl, namespace, dir, timeoutMs = stopWithinMs } = options;
  const registry = new Registry();
  const spill = { dir: dir ?? null, maxBytes: 100_000_000, fsyncMs: 500 };
  const observer = createExecutionObserver({
    ...{ redisUrl, namespace, registry, logger: silent },
    producer: { sampleRate: 1, spill },
  });
  return {
    observer,
    start: async () => observer.record(anExecution()),
    stop: () => observer.close({ timeoutMs }),
    async giveWork() {
      for (let recorded = 0; recorded < 200; recorded += 1) observer.record(anExecution());
      return () => undefined;
    },
    async checkWork() {
      expect(observer.stats()).toMatchObject({ kept: 201, sent: 201, dropped: 0 });
      expect(registry.getMetricsAsArray()).toEqual([]);
    },
  };
}

/** A role as a worker runs it. */
function aRole({ openDeps }: Place, create: (deps: RoleDeps) => Role, environment: Record<string, string> = {}) {
  const deps = openDeps(environment);
  const role = watchStart(create(deps), deps);
  return { role, start: () => role.start(), stop: () => role.stop(stopWithinMs) };
}

/** Jobs whose records cannot be stored, as somebody holds their table, and one of a newer producer, which is delayed. */
function recordWork(place: Place, queue: QueueName, table: string): Pick<Life, 'giveWork' | 'checkWork'> {
  const { client, databaseUrl, namespace, redis, redisUrl } = place;
  return {
    async giveWork() {
      await client.query(`begin; lock table ${table}`);
      const options = { redisUrl, namespace, registry: new Registry(), logger: silent };
      if (queue === 'execution-log') {
        const observer = createExecutionObserver({ ...options, producer: { sampleRate: 1 } });
        for (let recorded = 0; recorded < 50; recorded += 1) observer.record(anExecution());
        await observer.close();
      } else {
        const sender = createCompletedRequestSender(options);
        for (let sent = 0; sent < 50; sent += 1) await sender.send(aRequest());
        await sender.close();
      }
      await addJob(place, queue, jobName, { v: 999, producer: 'newer', epoch: 1, seq: 1, records: [{}] });
      const key = (set: string) => `${queuePrefix(queue, namespace)}:${queue}:${set}`;
      await until(() => redis.zcard(key('delayed')));
      await untilBlocked(databaseUrl);
      return () => client.query('rollback');
    },
    async checkWork() {
      const { rows } = await client.query<{ stored: number }>(`select count(*)::int as stored from ${table}`);
      expect(rows[0]?.stored).toBe(50);
      await nothingIsActive(place, queue);
    },
  };
}

type AnyQueue = ShardName | typeof maintenanceQueue;

async function addJob({ namespace, redis }: Place, name: AnyQueue, kind: string, data: object): Promise<void> {
  const queue = new Queue(name, { connection: redis, prefix: queuePrefix(name, namespace), skipMetasUpdate: true });
  await queue.add(kind, data);
  await queue.close();
}

async function nothingIsActive({ namespace, redis }: Place, queue: AnyQueue): Promise<void> {
  expect(await redis.llen(`${queuePrefix(queue, namespace)}:${queue}:active`)).toBe(0);
}

/** @param table that a commit needs */
async function aHealthRole(place: Place, mode: 'hardened' | 'mirror', table: string): Promise<Life> {
  const { client, databaseUrl, redis } = place;
  const keys = createHealthKeys();
  const { start, stop } = aRole(place, createHealthEvents, { ...keys.environment, HEALTH_EVENTS_MODE: mode });
  return {
    start,
    stop,
    async giveWork() {
      await until(async () => (await client.query('select from stream_lease where expires_at > now()')).rowCount);
      await insertRuntimeRecord(client);
      await client.query(`begin; lock table ${table}`);
      await addEvent(redis, keys.stream);
      await untilBlocked(databaseUrl);
      return () => client.query('rollback');
    },
    async checkWork() {
      // Somebody else may go on at once.
      expect((await client.query('select from stream_lease where expires_at > now()')).rowCount).toBe(0);
    },
  };
}

/** The status of an answer; null when the connection was closed before there was one. */
function ask(url: string): Promise<number | null> {
  return new Promise((resolve) => {
    get(url, { agent: false }, (response) => {
      response.resume();
      response.socket.once('close', () => resolve(response.statusCode ?? null));
    }).once('error', () => resolve(null));
  });
}
