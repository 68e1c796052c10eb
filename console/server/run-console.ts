import { Registry } from 'prom-client';
import { loadConfig, requireRedis } from '../../shared/platform/config/config.ts';
import { endsWithin } from '../../shared/platform/deadline.ts';
import { createCloseStack, untilAskedToStop } from '../../shared/platform/lifecycle.ts';
import { listenOn } from '../../shared/platform/listen-on.ts';
import { createLineCounter } from '../../shared/platform/logging/line-counter.ts';
import { createLogger } from '../../shared/platform/logging/logger.ts';
import { openLog } from '../../shared/platform/logging/open-log.ts';
import { createDatabase } from '../../shared/platform/postgres/database.ts';
import { createRedis } from '../../shared/platform/redis/redis.ts';
import { consoleGroups } from './console-groups.ts';
import { createConsole } from './create-console.ts';

/** A person waits for each answer, and gets none that takes longer. */
const statementTimeoutMs = 10_000;
const closeTimeoutMs = 2_000;

/**
 * Runs the console until it is asked to stop, then waits at most `SLUICE_SHUTDOWN_TIMEOUT_MS` for the requests in progress.
 *
 * @returns the exit code: 0 if all were answered, 1 if the time ran out first
 * @throws UsageError if the environment has a problem or a URL is missing, Error if the port is taken
 */
export async function runConsole(environment: NodeJS.ProcessEnv): Promise<number> {
  const config = loadConfig(environment, consoleGroups);
  const registry = new Registry();
  const onDropped = createLineCounter(registry).dropped;
  const logger = createLogger(
    { level: config.logLevel, name: 'sluice-console' },
    openLog(1, { name: 'sluice-console', onDropped }),
  );
  const asked = untilAskedToStop();
  const closing = createCloseStack((part, error) => logger.warn({ part, err: error }, 'closing failed'));
  try {
    const timeoutMs = Math.min(statementTimeoutMs, config.database.statementTimeoutMs);
    const database = createDatabase({ ...config.database, statementTimeoutMs: timeoutMs }, 'sluice console');
    closing.push('database', () => database.$disconnect());
    const redis = createRedis(requireRedis(config.redis), {
      role: 'consumer',
      name: 'sluice:console',
      logger,
    });
    closing.push('redis', async () => redis.disconnect());
    // The client keeps trying by itself; until it connects, the routes that need Redis report that it is away.
    void redis.connect().catch(() => undefined);
    const { app, start } = await createConsole({ config, database, redis, logger, registry });
    closing.push('server', async () => app.server.closeAllConnections());
    const { host, port } = config.console;
    const url = await listenOn(app, { host, port, variables: 'SLUICE_CONSOLE' });
    start();
    logger.info({ url }, 'console is up');
    process.send?.({ probes: url });

    const reason = await asked;
    logger.info({ reason }, 'console is stopping');
    const inTime = await endsWithin(app.close(), config.console.shutdownTimeoutMs);
    logger.info({ inTime }, 'console stopped');
    return inTime ? 0 : 1;
  } finally {
    await endsWithin(closing.closeAll(), closeTimeoutMs);
  }
}
