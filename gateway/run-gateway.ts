import { Registry } from 'prom-client';
import { loadConfig, requireRedis } from '../shared/platform/config/config.ts';
import { endsWithin } from '../shared/platform/deadline.ts';
import { createCloseStack, untilAskedToStop } from '../shared/platform/lifecycle.ts';
import { createLineCounter } from '../shared/platform/logging/line-counter.ts';
import { createLogger } from '../shared/platform/logging/logger.ts';
import { openLog } from '../shared/platform/logging/open-log.ts';
import { createRedis } from '../shared/platform/redis/redis.ts';
import { createGateway } from './create-gateway.ts';
import { gatewayGroups } from './gateway-groups.ts';

const closeTimeoutMs = 2_000;

/**
 * Runs the gateway until it is asked to stop, then waits at most `SLUICE_SHUTDOWN_TIMEOUT_MS` until what it has taken is in
 * Redis.
 *
 * @returns the exit code: 0 if it is, 1 if the time ran out first
 * @throws UsageError if the environment has a problem or nothing says where Redis is, Error if the port is taken
 */
export async function runGateway(environment: NodeJS.ProcessEnv): Promise<number> {
  const config = loadConfig(environment, gatewayGroups);
  const target = requireRedis(config.redis);
  const registry = new Registry();
  const onDropped = createLineCounter(registry).dropped;
  const logger = createLogger(
    { level: config.logLevel, name: 'sluice-gateway' },
    openLog(1, { name: 'sluice-gateway', onDropped }),
  );
  const asked = untilAskedToStop();
  const closing = createCloseStack((part, error) => logger.warn({ part, err: error }, 'closing failed'));
  try {
    const redis = createRedis(target, { role: 'consumer', name: 'sluice:gateway', logger });
    closing.push('redis', async () => redis.disconnect());
    // The client keeps trying by itself; until it connects, the gateway is not ready.
    void redis.connect().catch(() => undefined);
    const gateway = createGateway({ config, target, redis, logger, registry });
    closing.push('server', async () => void (await gateway.stop(0)));
    await gateway.start();
    const { url } = gateway;
    logger.info({ url }, 'gateway is up');
    process.send?.({ probes: url });

    const reason = await asked;
    logger.info({ reason }, 'gateway is stopping');
    const isDone = await gateway.stop(config.gateway.shutdownTimeoutMs);
    logger.info({ isDone }, 'gateway stopped');
    return isDone ? 0 : 1;
  } finally {
    await endsWithin(closing.closeAll(), closeTimeoutMs);
  }
}
