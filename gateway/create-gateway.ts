import { randomUUID } from 'node:crypto';
import type { Server } from 'node:net';
import Fastify, { type FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';
import { createProducerLogger } from '../producers/core/logger.ts';
import { createPipelineParts, type PipelineParts } from '../producers/core/pipeline-parts.ts';
import { createProblemLog } from '../producers/core/problem-log.ts';
import type { BufferLimits } from '../producers/core/record-buffer.ts';
import { createExecutionMetrics } from '../producers/executions/execution-metrics.ts';
import { createApiKeyHash } from '../producers/requests/api-key-hash.ts';
import { createRequestMetrics } from '../producers/requests/request-metrics.ts';
import { requestIdOf, shardOfRequest } from '../producers/requests/request-shard.ts';
import type { QueueName } from '../shared/contracts/queues.ts';
import { answerWithin, endsWithin, pause } from '../shared/platform/deadline.ts';
import type { Logger } from '../shared/platform/logging/logger.ts';
import type { Redis } from '../shared/platform/redis/redis.ts';
import type { RedisTarget } from '../shared/platform/redis/redis-target.ts';
import { guardRoutes } from './access/guard.ts';
import { createMemoryBudget } from './body/memory-budget.ts';
import { createDelivery } from './delivery/delivery.ts';
import type { GatewayConfig } from './gateway-groups.ts';
import { createBodiesInProgress } from './http/bodies-in-progress.ts';
import { answerNoHttp, createErrorHandlers } from './http/errors.ts';
import { continueOnDemand } from './http/expect-continue.ts';
import { addProbeRoutes } from './http/probe-routes.ts';
import { addSendRoutes } from './http/send-routes.ts';
import { createExecutionIntake } from './intake/execution-intake.ts';
import { createBeginIntake, createRequestIntake } from './intake/request-intake.ts';
import { limitsOf } from './limits.ts';
import { createGatewayMetrics } from './metrics.ts';

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
}

/** What is open at a time. More connections are closed at once. */
const maxConnections = 2_000;
/** From the first byte of a request to its last one. */
const requestTimeoutMs = 120_000;
const headersTimeoutMs = 10_000;
/** Load balancers keep idle connections for a minute; the side that is asked should not be the one to close them. */
const keepAliveTimeoutMs = 65_000;
/** Load balancers notice within about a second that it is not ready; until then it still takes what they send. */
const leavingMs = 1_000;
const answerWithinMs = 1_000;

/** Builds the gateway's server. It does not listen yet, and nothing connects but for `redis`. */
export function createGateway(deps: GatewayDeps) {
  const { config, redis, logger, registry, random = Math.random, now = Date.now } = deps;
  const { namespace, producer, requests } = config;
  const limits = limitsOf(config);
  const budget = createMemoryBudget(limits.unreadBytes);
  const bodies = createBodiesInProgress();
  let phase: 'up' | 'leaving' | 'closing' = 'up';

  const executionMetrics = createExecutionMetrics(registry, () => executions.depth(), producer.metricsMaxSeries);
  const executions = createDelivery(pipelineParts(deps, 'execution-log', producer.buffer), {
    onSent: executionMetrics.sent,
    onRefused: executionMetrics.refused,
    onDropped: (records) => {
      for (let record = 0; record < records; record += 1) executionMetrics.dropped(null, null);
    },
    onSendFailed: executionMetrics.sendFailed,
  });
  const requestMetrics = createRequestMetrics(registry, () => completed);
  const completed = createDelivery(pipelineParts(deps, 'completed-request', requests.buffer), {
    onSendFailed: requestMetrics.sendFailed,
  });
  const deliveries = [executions, completed];
  const hashApiKey = requests.apiKeyPepper === null ? null : createApiKeyHash(requests.apiKeyPepper);
  const ofRequests = {
    ...{ delivery: completed, limits, now },
    record: { maxBodyBytes: requests.maxBodyBytes, hashApiKey },
  };

  const app: FastifyInstance = Fastify({
    logger: false,
    bodyLimit: Number.MAX_SAFE_INTEGER,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    http: { headersTimeout: headersTimeoutMs, connectionsCheckingInterval: 2_000 },
    genReqId: () => randomUUID(),
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    clientErrorHandler: answerNoHttp,
  });
  app.server.maxConnections = maxConnections;
  continueOnDemand(app.server);
  const metrics = createGatewayMetrics(registry, {
    connections: () => openConnections(app.server),
    bodies: () => bodies.count,
    unreadBytes: () => budget.heldBytes,
    isRedisAway: () => deliveries.some((delivery) => delivery.isAway()),
  });
  metrics.observe(app);
  const errors = createErrorHandlers(logger, metrics);
  app.setErrorHandler(errors.handle);
  app.setNotFoundHandler(errors.notFound);
  // Bodies are read by the routes that want them, and as they come.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  guardRoutes(app, { isClosing: () => phase === 'closing' });
  addProbeRoutes(app, {
    registry,
    whyNotReady: async () => {
      if (phase !== 'up') return 'it shuts down';
      if (deliveries.some((delivery) => delivery.isAway())) return 'Redis does not take records';
      return (await answerWithin(answerWithinMs, () => redis.ping())) === null ? 'Redis did not answer' : null;
    },
  });
  addSendRoutes(app, {
    executions: createExecutionIntake({
      ...{ delivery: executions, limits, random, now },
      settings: producer,
      metrics: executionMetrics,
    }),
    requests: createRequestIntake(ofRequests),
    beginning: (requestId) => createBeginIntake(ofRequests, requestId),
    ...{ limits, budget, bodies, metrics, redis, namespace, now },
  });

  return {
    app,
    /**
     * Ends in good order: first it says that it is not ready, then it takes no more bodies, and those that it has taken are
     * read and sent.
     *
     * @returns whether all that was taken is in Redis
     */
    async drain(timeoutMs: number): Promise<boolean> {
      const endsAt = performance.now() + timeoutMs;
      const restMs = (): number => Math.max(0, endsAt - performance.now());
      phase = 'leaving';
      await pause(Math.min(leavingMs, timeoutMs / 10));
      phase = 'closing';
      const inTime = await endsWithin(app.close(), restMs());
      const results = await Promise.all(deliveries.map((delivery) => delivery.close(restMs())));
      return inTime && results.every(({ unflushed }) => unflushed === 0);
    },
    /** Closes what `drain` has not closed. */
    async close(): Promise<void> {
      app.server.closeAllConnections();
      await Promise.all(deliveries.map((delivery) => delivery.close(0)));
      executionMetrics.close();
      requestMetrics.close(completed.stats());
    },
  };
}

/** The parts of a producer of the SDK. Nothing is written to disk: the sender keeps what was not answered with 202. */
function pipelineParts(
  { config, target, logger, registry, random = Math.random, now = Date.now }: GatewayDeps,
  queue: QueueName,
  buffer: BufferLimits,
): PipelineParts {
  const { namespace, producer } = config;
  const isOfRequests = queue === 'completed-request';
  const settings = { ...producer, spill: { ...producer.spill, dir: null } };
  return createPipelineParts({ registry, random, now }, settings, {
    ...{ target, queue, namespace, buffer },
    problems: createProblemLog(createProducerLogger(logger, registry), isOfRequests ? 'request' : 'execution'),
    shardOf: isOfRequests ? shardOfRequest : null,
    requestIdOf: isOfRequests ? requestIdOf : null,
    // What waits for room in Redis waits in the buffer, and senders hear of it.
    holdsSuccessesBack: false,
  });
}

function openConnections(server: Server): Promise<number> {
  return new Promise((resolve) => server.getConnections((_error, count) => resolve(count)));
}
