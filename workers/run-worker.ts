import { getHeapStatistics } from 'node:v8';
import { Registry } from 'prom-client';
import { queueNames, queuePrefix } from '../shared/contracts/queues.ts';
import { type ConfigGroup, loadConfig, requireRedis } from '../shared/platform/config/config.ts';
import { endsWithin } from '../shared/platform/deadline.ts';
import { UsageError } from '../shared/platform/errors.ts';
import { createCloseStack, untilAskedToStop } from '../shared/platform/lifecycle.ts';
import { createLineCounter } from '../shared/platform/logging/line-counter.ts';
import { createLogger } from '../shared/platform/logging/logger.ts';
import { openLog } from '../shared/platform/logging/open-log.ts';
import { findSilentServers } from '../shared/platform/readiness.ts';
import { askServerOf } from '../shared/platform/redis/cluster-nodes.ts';
import { createRedis } from '../shared/platform/redis/redis.ts';
import { singleFlight } from '../shared/platform/single-flight.ts';
import { createCompletedRequest } from './completed-requests/role.ts';
import { createExecutionLog } from './execution-log/role.ts';
import { createHealthEvents } from './health-events/role.ts';
import { createMaintenance } from './maintenance/role.ts';
import { createMemoryBudget, jobBytesFor, type MemoryBudget } from './runtime/memory-budget.ts';
import { startProbeServer } from './runtime/probe-server.ts';
import { commonGroups, ownGroups, type Role, type RoleConfig, type RoleDeps } from './runtime/role.ts';
import { watchStart } from './runtime/watch-start.ts';
import { createWorkerDatabase } from './runtime/worker-database.ts';

/** The kinds of worker that a process can be. */
const roles = {
  'execution-log': role(ownGroups['execution-log'], createExecutionLog),
  'completed-request': role(ownGroups['completed-request'], createCompletedRequest),
  'health-events': role(ownGroups['health-events'], createHealthEvents),
  maintenance: role(ownGroups.maintenance, (deps) => createMaintenance(deps)),
};

/** @param groups what it reads of the configuration beside what every worker does */
function role<Own extends ConfigGroup>(groups: readonly Own[], create: (deps: RoleDeps<Own>) => Role) {
  return {
    groups,
    create: (environment: NodeJS.ProcessEnv, deps: Omit<RoleDeps, 'config'>): Role =>
      create({ ...deps, config: loadConfig(environment, [...commonGroups, ...groups]) }),
  };
}

export type WorkerRole = keyof typeof roles;
export const workerRoles = Object.keys(roles) as WorkerRole[];

const closeTimeoutMs = 2_000;

/**
 * Runs a worker of one role or of several until it is asked to stop, and then until what it holds is settled, at most `SLUICE_SHUTDOWN_TIMEOUT_MS`.
 *
 * @returns the exit code: 0 when everything it held is settled, 1 when the time was up first. Then its jobs go to the
 *   other workers; nothing is lost.
 * @throws UsageError when the environment has a problem, a URL is missing, or the roles need more connections than the pool has, Error when the tables
 *   are not there
 */
export async function runWorker(names: readonly WorkerRole[], environment: NodeJS.ProcessEnv): Promise<number> {
  const groups = names.flatMap((name): readonly ConfigGroup[] => roles[name].groups);
  const config = loadConfig(environment, [...commonGroups, ...groups]);
  checkPool(names.length, config);
  const ofProcess = new Registry();
  const onDropped = createLineCounter(ofProcess).dropped;
  const logger = createLogger(
    { level: config.logLevel, name: 'sluice-worker' },
    openLog(1, { name: 'sluice-worker', onDropped }),
  );
  const asked = untilAskedToStop();
  const closing = createCloseStack((part, error) => logger.warn({ part, err: error }, 'closing failed'));
  const stopping = new AbortController();
  try {
    const database = createWorkerDatabase(config.database, 'sluice worker');
    closing.push('database', () => database.$disconnect());
    const redis = createRedis(requireRedis(config.redis), {
      role: 'worker',
      name: 'sluice:worker',
      logger,
    });
    closing.push('redis', async () => redis.disconnect());
    const memoryOf = shareMemory(names, config);
    const registries = [ofProcess];
    const joined = names.map((name) => {
      const registry = registryOf(name);
      registries.push(registry);
      const deps = { database, redis, logger, registry, memory: memoryOf() };
      return watchStart(roles[name].create(environment, deps), { ...deps, config });
    });
    const role = joinRoles(joined);

    // In a cluster, each role's queue has servers of its own.
    const keys = names.map((name) => keyOf(name, config.namespace));
    const questions = joined.map(
      ({ askRedis }, index) => askRedis ?? (() => askServerOf(redis, keys[index] as string)),
    );
    const askRedis = () => Promise.all(questions.map((ask) => ask()));
    const askServers = singleFlight(() => findSilentServers(askRedis, database));
    const whyNotReady = async (): Promise<string | null> =>
      stopping.signal.aborted ? 'stopping' : (role.notReadyReason() ?? askServers());
    const probes = await startProbeServer({
      ...config.worker,
      registries,
      whyNotReady,
      livenessFailure: role.livenessFailure,
    });
    closing.push('probes', probes.stop);
    logger.info({ roles: names, url: probes.url }, 'worker is up');
    process.send?.({ probes: probes.url });

    const started = role.start();
    const reason = await Promise.race([asked, started.then(() => asked), role.failed]);

    logger.info({ reason, heldRecords: role.heldRecords }, 'worker is stopping');
    stopping.abort();
    const inTime = await role.stop(config.worker.shutdownTimeoutMs);
    if (inTime) logger.info('worker stopped; everything is settled');
    else logger.error({ heldRecords: role.heldRecords }, 'shutdown timeout reached; the rest is left to other workers');
    return inTime ? 0 : 1;
  } finally {
    await endsWithin(closing.closeAll(), closeTimeoutMs);
  }
}

/**
 * What the process may have of job data is shared out evenly: a role whose jobs wait for a lock must not take the room of
 * the others.
 */
function shareMemory(names: readonly WorkerRole[], { batch, worker }: RoleConfig): () => MemoryBudget {
  const sharers = names.filter((name) => (queueNames as readonly string[]).includes(name)).length;
  const maxBytes = (worker.maxBytes ?? jobBytesFor(getHeapStatistics().heap_size_limit)) / Math.max(1, sharers);
  // Statements are larger than what they are made of only where one character of a batch is beyond ASCII.
  const statementBytes = Math.min(maxBytes, 2 * batch.maxInFlight * batch.maxBytes);
  return () => createMemoryBudget({ maxBytes, statementBytes });
}

/** A key of what a role works on. A record role knows better, as its queue may have shards. */
function keyOf(role: WorkerRole, namespace: string): string {
  // The reader of health events has connections of its own, and tells of them itself.
  return role === 'health-events' ? `{${namespace}:${role}}` : queuePrefix(role, namespace);
}

/** The metrics of a role, each with its name. */
function registryOf(role: WorkerRole): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ role });
  return registry;
}

/** Every role may have its statements under way at the same time. */
function checkPool(roleCount: number, { batch, database }: RoleConfig): void {
  const needed = roleCount * batch.maxInFlight;
  if (needed > database.poolSize)
    throw new UsageError(
      `${roleCount} roles with SLUICE_BATCH_MAX_IN_FLIGHT ${batch.maxInFlight} each need ${needed} connections; raise SLUICE_DATABASE_POOL_SIZE (${database.poolSize})`,
    );
}

/** Several roles as one: they begin and end together. */
function joinRoles(joined: readonly Role[]) {
  const firstReason = (ask: (role: Role) => string | null): string | null =>
    joined.map(ask).find((reason) => reason !== null) ?? null;
  return {
    get heldRecords(): number {
      return joined.reduce((sum, { heldRecords }) => sum + heldRecords, 0);
    },
    notReadyReason: () => firstReason((role) => role.notReadyReason()),
    livenessFailure: () => firstReason((role) => role.livenessFailure()),
    failed: Promise.race(joined.flatMap(({ failed }) => failed ?? [new Promise<never>(() => undefined)])),
    async start(): Promise<void> {
      await Promise.all(joined.map((role) => role.start()));
    },
    async stop(timeoutMs: number): Promise<boolean> {
      const inTime = await Promise.all(joined.map((role) => role.stop(timeoutMs)));
      return inTime.every(Boolean);
    },
  };
}
