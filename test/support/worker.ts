import { Registry } from 'prom-client';
import { inject, onTestFinished } from 'vitest';
import { loadConfig, requireRedis } from '../../shared/platform/config/config.ts';
import { createLogger } from '../../shared/platform/logging/logger.ts';
import { createRedis } from '../../shared/platform/redis/redis.ts';
import { createExecutionLog } from '../../workers/execution-log/role.ts';
import { createMemoryBudget } from '../../workers/runtime/memory-budget.ts';
import type { Role, RoleDeps } from '../../workers/runtime/role.ts';
import { createWorkerDatabase } from '../../workers/runtime/worker-database.ts';
import { redisEnvironment } from './redis-target.ts';

interface Sample {
  metricName?: string;
  value: number;
  labels: Record<string, unknown>;
}

/** A worker of the execution log inside the test's own process. */
export const startWorker = startRole.bind(null, createExecutionLog);

/** A worker inside the test's own process, on the test's own database and namespace, started and stopped with it. */
export async function startRole(
  createRole: (deps: RoleDeps) => Role,
  databaseUrl: string,
  namespace: string,
  environment: Record<string, string> = {},
  redisOptions: { silenceMs?: number } = {},
) {
  const { REDIS_URL: redisUrl = inject('redisUrl'), ...others } = environment;
  const config = loadConfig({
    DATABASE_URL: databaseUrl,
    ...redisEnvironment(redisUrl),
    SLUICE_NAMESPACE: namespace,
    SLUICE_RETRY_BASE_MS: '5',
    SLUICE_RETRY_MAX_MS: '50',
    SLUICE_PARTITION_DAYS_AHEAD: '1',
    ...others,
  });
  const logger = createLogger({ level: 'silent', name: 'test' });
  const database = createWorkerDatabase(config.database, 'sluice test worker');
  const redis = createRedis(requireRedis(config.redis), {
    role: 'worker',
    name: 'test',
    logger,
    ...redisOptions,
  });
  const registry = new Registry();
  const maxBytes = config.worker.maxBytes ?? 64 * 1_048_576;
  const memory = createMemoryBudget({ maxBytes, statementBytes: maxBytes });
  const role = createRole({ config, database, redis, logger, registry, memory });
  let stopped: Promise<boolean> | null = null;
  const stop = (timeoutMs = 10_000): Promise<boolean> => {
    stopped ??= stopAll(timeoutMs);
    return stopped;
  };
  const stopAll = async (timeoutMs: number): Promise<boolean> => {
    const inTime = await role.stop(timeoutMs);
    redis.disconnect();
    await database.$disconnect();
    return inTime;
  };
  onTestFinished(async () => {
    await stop();
  });
  await role.start();

  /** The sum of a metric's samples with these labels; of a histogram, name its `_count` or `_sum`. */
  const sum = async (name: string, labels: Record<string, string>): Promise<number> => {
    const metrics = (await registry.getMetricsAsJSON()) as { name: string; values: Sample[] }[];
    return metrics
      .flatMap((metric) => metric.values.map((sample) => ({ ...sample, name: sample.metricName ?? metric.name })))
      .filter((sample) => sample.name === name)
      .filter((sample) => Object.entries(labels).every(([key, value]) => sample.labels[key] === value))
      .reduce((total, { value }) => total + value, 0);
  };
  return { stop, registry, metric: sum, livenessFailure: role.livenessFailure, notReadyReason: role.notReadyReason };
}
