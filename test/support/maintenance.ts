import { Registry } from 'prom-client';
import { inject, onTestFinished } from 'vitest';
import { type Config, loadConfig, requireRedis } from '../../shared/platform/config/config.ts';
import { createLogger } from '../../shared/platform/logging/logger.ts';
import { createDatabase } from '../../shared/platform/postgres/database.ts';
import { createRedis } from '../../shared/platform/redis/redis.ts';
import { createMaintenance } from '../../workers/maintenance/role.ts';
import type { TaskDeps } from '../../workers/maintenance/task.ts';
import { createTestDatabase } from './fixtures.ts';
import { metricValue } from './metric-value.ts';
import { redisEnvironment } from './redis-target.ts';

/** A log that can be read. */
export function aLog() {
  const lines: { level: number; msg: string; [field: string]: unknown }[] = [];
  const logger = createLogger({ level: 'debug', name: 'test' }, { write: (line) => void lines.push(JSON.parse(line)) });
  return { logger, lines, messages: () => lines.map(({ msg }) => msg) };
}

/** What a task works with, on a migrated database of the test's own unless one is given, and what it has told so far. */
export async function maintenanceDeps(environment: Record<string, string> = {}, given?: string) {
  const databaseUrl = given ?? (await createTestDatabase());
  const config = loadConfig({ DATABASE_URL: databaseUrl, ...environment });
  const database = createDatabase(config.database, 'test');
  onTestFinished(() => database.$disconnect());
  const log = aLog();
  const dropped: string[] = [];
  const archived: string[] = [];
  const purged: number[] = [];
  const early: [table: string, rows: number][] = [];
  const deps: TaskDeps & { config: Config } = {
    config,
    database,
    logger: log.logger,
    now: Date.now,
    onDropped: (name) => dropped.push(name),
    onArchived: (result) => archived.push(result),
    onPurged: (_table, rows) => purged.push(rows),
    onEarly: (table, rows) => early.push([table, rows]),
  };
  return { databaseUrl, deps, dropped, archived, purged, early, lines: log.lines, messages: log.messages };
}

/** A maintenance worker inside the test's own process, started and stopped with it. */
export async function startMaintenance(
  databaseUrl: string,
  namespace: string,
  { everyMs, environment = {} }: { everyMs?: number; environment?: Record<string, string> } = {},
) {
  const config = loadConfig({
    DATABASE_URL: databaseUrl,
    ...redisEnvironment(inject('redisUrl')),
    SLUICE_NAMESPACE: namespace,
    SLUICE_RETRY_BASE_MS: '5',
    SLUICE_RETRY_MAX_MS: '50',
    ...environment,
  });
  const { logger, lines, messages } = aLog();
  const database = createDatabase(config.database, 'sluice test maintenance');
  const redis = createRedis(requireRedis(config.redis), { role: 'worker', name: 'test', logger });
  const registry = new Registry();
  const role = createMaintenance(
    { config, database, redis, logger, registry },
    everyMs === undefined ? {} : { everyMs },
  );
  const close = async (timeoutMs: number): Promise<boolean> => {
    try {
      return await role.stop(timeoutMs);
    } finally {
      redis.disconnect();
      await database.$disconnect();
    }
  };
  let stopped: Promise<boolean> | null = null;
  const stop = (timeoutMs = 10_000): Promise<boolean> => {
    stopped ??= close(timeoutMs);
    return stopped;
  };
  onTestFinished(async () => {
    await stop();
  });
  const started = role.start();
  started.catch(() => undefined);
  return {
    role,
    started,
    stop,
    lines,
    messages,
    metric: (name: string, labels?: Record<string, string>) => metricValue(registry, name, labels),
    scrape: () => registry.metrics(),
  };
}
