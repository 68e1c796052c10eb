import { readQueueFacts } from '../queries/queues/queue-facts.ts';
import { queueNames, queuePrefix, type ShardName } from '../shared/contracts/queues.ts';
import type { Config } from '../shared/platform/config/config.ts';
import { endsWithin } from '../shared/platform/deadline.ts';
import { executionLogTable, planPartitions } from '../shared/platform/postgres/partitions/partitions.ts';
import { nodeOf } from '../shared/platform/redis/cluster-nodes.ts';
import { searchShards } from '../shared/platform/redis/find-shards.ts';
import { parseRedisSettings, type RedisTarget } from '../shared/platform/redis/redis-target.ts';
import type { Answer } from './answer.ts';
import type { ClockReading } from './check-clock.ts';
import { type Finding, type Level, worstOf } from './finding.ts';
import { checkGateway } from './gateway/check-gateway.ts';
import { readGatewayFacts } from './gateway/gateway-facts.ts';
import { checkHealth } from './health/check-health.ts';
import { readHealthFacts } from './health/health-facts.ts';
import { checkHost, checkMissingUrl } from './host/check-host.ts';
import { type HostFacts, readHostFacts } from './host/host-facts.ts';
import { checkLedger } from './ledger/check-ledger.ts';
import { readLedgerFacts } from './ledger/ledger-facts.ts';
import { checkPostgres, checkPostgresConnection } from './postgres/check-postgres.ts';
import { connectToPostgres, type PostgresConnection, readPostgresFacts } from './postgres/postgres-facts.ts';
import { checkQueue, type ShardFacts } from './queue/check-queue.ts';
import { checkRedis, checkRedisConnection } from './redis/check-redis.ts';
import {
  connectToRedis,
  nameOf,
  type RedisConnection,
  type RedisFacts,
  readAllRedisFacts,
} from './redis/redis-facts.ts';
import { createSecretHider } from './secrets.ts';
import { checkTables } from './tables/check-tables.ts';
import { readKnownMigrations, readTablesFacts } from './tables/tables-facts.ts';

/** All findings, with subjects in a fixed order. */
export interface CheckRun {
  worst: Level;
  findings: Finding[];
}

/** For each question. At most three follow one another, so everything ends within ten seconds even if servers hang. */
const answerWithinMs = 2_500;
const closeWithinMs = 500;

/**
 * Checks everything that commonly goes wrong with the pipeline. It changes nothing, needs no part of the fleet, never
 * throws because of a server, and takes at most ten seconds.
 */
export async function runChecks(config: Config, environment: NodeJS.ProcessEnv): Promise<CheckRun> {
  const host = readHostFacts(environment);
  const limits = {
    withinMs: answerWithinMs,
    hide: createSecretHider(
      [config.redis.url, config.database.url, config.migrator.url],
      [config.redis.password, config.redis.sentinelPassword],
    ),
  };
  const parsed = parseRedisSettings(config.redis);
  const target = 'target' in parsed ? parsed.target : null;
  const redis = target === null ? null : connectToRedis(target, limits);
  const topology = target?.topology ?? 'server';
  const postgres = config.database.url === null ? null : connectToPostgres(config.database, limits);
  try {
    const found = await Promise.all([
      redis?.then((connection) => runRedisChecks(connection, { ...config, topology }, host)) ?? [
        checkMissingUrl('redis', 'REDIS_URL'),
      ],
      postgres?.then((connection) => runPostgresChecks(connection, config)) ?? [
        checkMissingUrl('postgres', 'DATABASE_URL'),
      ],
      runHealthChecks(postgres, redis, config),
      runLedgerChecks(postgres, redis, config),
      runGatewayChecks(config, environment),
    ]);
    const findings = [...checkHost(host, { recordingEnabled: config.producer.enabled }), ...found.flat()];
    return { worst: worstOf(findings), findings };
  } finally {
    (await redis)?.close();
    // Closing a connection to a server that hangs may take for ever.
    const closing = postgres?.then((connection) => connection.close()).catch(() => undefined);
    await endsWithin(Promise.resolve(closing), closeWithinMs);
  }
}

async function runRedisChecks(
  connection: RedisConnection,
  { namespace, producer, topology }: Pick<Config, 'namespace' | 'producer'> & Pick<RedisTarget, 'topology'>,
  host: HostFacts,
): Promise<Finding[]> {
  const { redis, ask, state } = connection;
  const findings = [checkRedisConnection(state)];
  if (!isReady(connection)) return findings;
  const [servers, searches] = await Promise.all([
    readAllRedisFacts(connection),
    Promise.all(queueNames.map((queue) => searchShards(redis, { queue, namespace }))),
  ]);
  const nowMs = nowOf(servers[0]?.clock);
  const readShard = async (shard: ShardName): Promise<ShardFacts> => {
    const [facts, place] = await Promise.all([
      ask(() => readQueueFacts(redis, { queue: shard, namespace, nowMs })),
      serverOf(connection, servers, queuePrefix(shard, namespace)),
    ]);
    return { shard, facts, ...place };
  };
  const queues = await Promise.all(
    queueNames.map(async (queue, index) => {
      const { found = [queue], unanswered = [] } = searches[index] ?? {};
      return checkQueue(await Promise.all(found.map(readShard)), {
        queue,
        namespace,
        ownVersion: host.bullmqVersion,
        unansweredShards: unanswered.length,
        producersShards: producer.shards,
        servers: servers.length,
      });
    }),
  );
  return [...findings, ...checkRedis(servers, { ...producer, topology }), ...queues.flat()];
}

/** The server that has a key, and its clients: who waits for jobs of a shard waits there. */
async function serverOf(
  { redis, ask }: RedisConnection,
  servers: readonly RedisFacts[],
  key: string,
): Promise<Pick<ShardFacts, 'server' | 'clientNames'>> {
  const owner = await ask(() => nodeOf(redis, key));
  if (!owner.known) return { server: null, clientNames: owner };
  const server = nameOf(owner.value);
  const found = servers.find(({ name }) => name === server);
  const why = 'the node of the queue did not answer';
  return { server, clientNames: found?.clientNames ?? { known: false, code: 'NONODE', why } };
}

async function runPostgresChecks(connection: PostgresConnection, { database, fleet }: Config): Promise<Finding[]> {
  const findings = [checkPostgresConnection(connection.state)];
  if (!connection.state.known) return findings;
  const server = await readPostgresFacts(connection);
  const nowMs = nowOf(server.clock);
  const days = planPartitions(executionLogTable, nowMs, database.partitionDaysAhead, database.partitionBy);
  const [tables, migrations] = await Promise.all([readTablesFacts(connection, days), readKnownMigrations()]);
  return [
    ...findings,
    ...checkPostgres(server, { ...database, workers: fleet.workers }),
    ...checkTables(tables, { migrations, days, unit: database.partitionBy, poolSize: database.poolSize, nowMs }),
  ];
}

/** The time by a server's clock, which its workers use too; by this machine's clock if the server did not report it. */
function nowOf(clock: Answer<ClockReading> | undefined): number {
  return clock?.known && Number.isFinite(clock.value.serverMs) ? clock.value.serverMs : Date.now();
}

/** Needs both servers; other checks report why one of them cannot be asked. */
async function runHealthChecks(
  postgres: Promise<PostgresConnection> | null,
  redis: Promise<RedisConnection> | null,
  { health }: Config,
): Promise<Finding[]> {
  const [database, stream] = await Promise.all([postgres, redis]);
  if (!database?.state.known || stream === null || !isReady(stream)) return [];
  return checkHealth(await readHealthFacts(database, stream, health), { config: health, nowMs: Date.now() });
}

/** Needs both servers, too. */
async function runLedgerChecks(
  postgres: Promise<PostgresConnection> | null,
  redis: Promise<RedisConnection> | null,
  { namespace }: Config,
): Promise<Finding[]> {
  const [database, jobs] = await Promise.all([postgres, redis]);
  if (!database?.state.known || jobs === null || !isReady(jobs)) return [];
  return checkLedger(await readLedgerFacts(database, jobs, { namespace, nowMs: Date.now() }));
}

async function runGatewayChecks(config: Pick<Config, 'gateway'>, environment: NodeJS.ProcessEnv): Promise<Finding[]> {
  const facts = await readGatewayFacts(config, environment, answerWithinMs);
  return facts === null ? [] : checkGateway(facts, Date.now());
}

function isReady({ state }: RedisConnection): boolean {
  return state.known && state.value !== 'loading';
}
