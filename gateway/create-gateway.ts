import type { Registry } from 'prom-client';
import { createRedaction } from '../producers/core/redact.ts';
import { createApiKeyHash } from '../producers/requests/api-key-hash.ts';
import { answerWithin, endsWithin, pause } from '../shared/platform/deadline.ts';
import { oneLife } from '../shared/platform/lifecycle.ts';
import { listenOn } from '../shared/platform/listen-on.ts';
import type { Logger } from '../shared/platform/logging/logger.ts';
import type { Redis } from '../shared/platform/redis/redis.ts';
import type { RedisTarget } from '../shared/platform/redis/redis-target.ts';
import { guardRoutes } from './access/guard.ts';
import { createSenders } from './access/senders.ts';
import { createMemoryBudget } from './body/memory-budget.ts';
import { createDeliveries } from './delivery/create-deliveries.ts';
import type { GatewayConfig } from './gateway-groups.ts';
import { createBodiesInProgress } from './http/bodies-in-progress.ts';
import { createServer, openConnections, renewTls } from './http/create-server.ts';
import { createErrorHandlers } from './http/errors.ts';
import { refuseUnknownParameters } from './http/known-parameters.ts';
import { addProbeRoutes } from './http/probe-routes.ts';
import { addReportRoute } from './http/report-route.ts';
import { addSendRoutes, type SendRouteDeps } from './http/send-routes.ts';
import { certificateEndsAt, readServerTls, tlsFilesOf } from './http/tls-files.ts';
import { createExecutionIntake } from './intake/execution-intake.ts';
import { createBeginIntake, createRequestIntake } from './intake/request-intake.ts';
import { limitsOf } from './limits.ts';
import { createGatewayMetrics } from './metrics.ts';
import { addTraceRoute } from './otlp/trace-route.ts';
import { watchFiles } from './watch-files.ts';

/** What the gateway needs. */
export interface GatewayDeps {
  config: GatewayConfig;
  target: RedisTarget;
  /** answers or fails at once; records do not go through it */
  redis: Redis;
  logger: Logger;
  registry: Registry;
  /** uniform in [0, 1). @default Math.random */
  random?: () => number;
  /** ms since 1970. @default Date.now */
  now?: () => number;
  /** for how long nothing of a body may come. @default 20000 */
  bodyIdleMs?: number;
  /** how often the files are looked at, in ms. @default 2000 */
  watchMs?: number;
}

/** Load balancers notice within about a second that it is not ready; until then it still takes what they send. */
const leavingMs = 1_000;
const answerWithinMs = 1_000;

/**
 * Builds the gateway. It does not listen yet, and connects with its first record.
 *
 * @throws UsageError when the tokens file, a file for TLS or the redaction rules cannot be used
 */
export function createGateway(deps: GatewayDeps) {
  const { config, redis, logger, registry, random = Math.random, now = Date.now, bodyIdleMs = 20_000 } = deps;
  const { namespace, producer, requests } = config;
  const { tokensFile, metricsToken } = config.gateway;
  const senders = tokensFile === null ? null : createSenders(tokensFile);
  const redaction = createRedaction(config.redact);
  let tls = readServerTls(config.gateway);
  const app = createServer(tls, (request, reply) => errors.badAddress(request, reply));
  const limits = limitsOf(config);
  const budget = createMemoryBudget(limits.unreadBytes);
  const bodies = createBodiesInProgress();
  const deliveries = createDeliveries({ ...deps, random, now });
  const metrics = createGatewayMetrics(registry, {
    connections: () => openConnections(app),
    bodies: () => bodies.count,
    unreadBytes: () => budget.heldBytes,
    isRedisAway: deliveries.isAway,
    certificateEndsAtMs: tls === null ? null : () => certificateEndsAt(tls),
  });
  let phase: 'up' | 'leaving' | 'closing' = 'up';

  metrics.observe(app);
  const errors = createErrorHandlers(logger, metrics);
  app.setErrorHandler(errors.handle);
  app.setNotFoundHandler(errors.notFound);
  guardRoutes(app, { senders, metricsToken, isClosing: () => phase === 'closing' });
  refuseUnknownParameters(app);
  addProbeRoutes(app, {
    registry,
    whyNotReady: async () => {
      if (phase !== 'up') return 'it shuts down';
      if (deliveries.isAway()) return 'Redis does not take records';
      return (await answerWithin(answerWithinMs, () => redis.ping())) === null ? 'Redis did not answer' : null;
    },
  });
  const hashApiKey = requests.apiKeyPepper === null ? null : createApiKeyHash(requests.apiKeyPepper);
  const ofRequests = {
    ...{ delivery: deliveries.requests, limits, now },
    record: { maxBodyBytes: requests.maxBodyBytes, hashApiKey, redaction },
  };
  const sendDeps: SendRouteDeps = {
    executions: createExecutionIntake({
      ...{ delivery: deliveries.executions, metrics: deliveries.executionMetrics },
      ...{ limits, settings: producer, redaction, random, now },
    }),
    requests: createRequestIntake(ofRequests),
    redaction,
    beginning: (requestId) => createBeginIntake(ofRequests, requestId),
    ...{ limits, budget, bodies, metrics, senders, bodyIdleMs, redis, namespace, now },
  };
  addSendRoutes(app, sendDeps);
  addTraceRoute(app, sendDeps, errors);
  addReportRoute(app, sendDeps, deliveries);

  const reload = (what: string, read: () => void) => (): void => {
    try {
      read();
      metrics.reloaded(what, true);
      logger.info({ what }, 'files have changed and were read again');
    } catch (error) {
      metrics.reloaded(what, false);
      logger.error({ what, err: error }, 'files have changed and cannot be used; the previous ones stay in use');
    }
  };
  const watches = [
    watchFiles(
      tokensFile === null ? [] : [tokensFile],
      reload('tokens', () => senders?.reload()),
      deps.watchMs,
    ),
    watchFiles(
      tlsFilesOf(config.gateway),
      reload('tls', () => {
        tls = readServerTls(config.gateway);
        renewTls(app, tls);
      }),
      deps.watchMs,
    ),
  ];

  let url: string | null = null;
  let listening: Promise<string> | null = null;
  const life = oneLife({
    async begin() {
      const { host, port } = config.gateway;
      listening = listenOn(app, { host, port, variables: 'SLUICE_GATEWAY' });
      url = await listening;
    },
    async end(timeoutMs: number): Promise<boolean> {
      const endsAt = performance.now() + timeoutMs;
      const restMs = (): number => Math.max(0, endsAt - performance.now());
      phase = 'leaving';
      // What is closed before it listens listens all the same.
      await Promise.allSettled([listening]);
      if (url !== null) await pause(Math.min(leavingMs, timeoutMs / 10));
      phase = 'closing';
      const inTime = await endsWithin(app.close(), restMs());
      const areSent = await deliveries.close(restMs());
      app.server.closeAllConnections();
      for (const watch of watches) watch.stop();
      return inTime && areSent;
    },
  });

  return {
    /** its routes */
    app,
    /** Begins to listen. @throws Error if the port is taken */
    start: life.start,
    /** where it listens; null before it does */
    get url(): string | null {
      return url;
    },
    /**
     * Ends in good order, within `timeoutMs` and a moment: first it says that it is not ready, then it takes no more bodies, and
     * those that it has taken are read and sent. Then all connections are closed.
     *
     * @returns whether all that was taken is in Redis
     */
    stop: life.stop,
  };
}
