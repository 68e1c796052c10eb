import { randomUUID } from 'node:crypto';
import cookie from '@fastify/cookie';
import rateLimit from '@fastify/rate-limit';
import Fastify from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Registry } from 'prom-client';
import { createNameBook } from '../../names/name-book.ts';
import type { Logger } from '../../shared/platform/logging/logger.ts';
import { createNoHttpAnswers } from '../../shared/platform/no-http.ts';
import type { Database } from '../../shared/platform/postgres/database.ts';
import type { Redis } from '../../shared/platform/redis/redis.ts';
import { createCredentials } from './access/credentials.ts';
import { guardRequests } from './access/guard.ts';
import type { App } from './app.ts';
import { serveBoard } from './board/serve-board.ts';
import type { ConsoleConfig } from './console-groups.ts';
import { leadToPage, withoutBasePath } from './http/base-path.ts';
import { createErrorHandlers } from './http/errors.ts';
import { refuseUnknownParameters } from './http/known-parameters.ts';
import { noteMethods } from './http/other-methods.ts';
import { Problem, plainProblem, problemContentType } from './http/problem.ts';
import { setSecurityHeaders } from './http/security-headers.ts';
import { createLedgerWatch } from './ledger-watch.ts';
import { createConsoleMetrics } from './metrics.ts';
import { serveOpenapi } from './openapi.ts';
import { servePage } from './page-files.ts';
import { createQueueWatch } from './queues/queue-watch.ts';
import { createShardList } from './queues/shard-list.ts';
import { createReadiness } from './readiness.ts';
import { addDeadLetterRoutes } from './routes/dead-letters.ts';
import { addErasureRoutes } from './routes/erasures.ts';
import { addExecutionRoutes } from './routes/executions.ts';
import { addLedgerRoutes } from './routes/ledger.ts';
import { addNameRoutes } from './routes/names.ts';
import { addProbeRoutes } from './routes/probes.ts';
import { addQueueRoutes } from './routes/queues.ts';
import { addRequestRoutes } from './routes/requests.ts';
import { addRuntimeRecordRoutes } from './routes/runtime-records.ts';
import { addSessionRoutes } from './routes/session.ts';
import { addStrategyRoutes } from './routes/strategies.ts';
import { addUpstreamRoutes } from './routes/upstream.ts';

/** What the console needs. */
export interface ConsoleDeps {
  config: ConsoleConfig;
  database: Database;
  /** answers or fails at once; Bull Board's queues are opened on it as well */
  redis: Redis;
  logger: Logger;
  /** receives the console's metrics */
  registry: Registry;
}

const bodyLimitBytes = 64 * 1_024;
const requestTimeoutMs = 30_000;

/** An address contains an id of at most 512 characters, each of up to twelve in percent-encoding. */
const maxParamLength = 512 * 12;

/** Builds the console's server. It does not listen yet; nothing runs except what a request starts. */
export async function createConsole({ config, database, redis, logger, registry }: ConsoleDeps): Promise<{
  app: App;
  /** starts to watch the queues and the ledger, until the server is closed */
  start(): void;
}> {
  const { basePath, origin, trustedProxies } = config.console;
  const errors = createErrorHandlers(logger, basePath);
  const noHttp = createNoHttpAnswers((status) => ({ type: problemContentType, body: plainProblem(status) }));
  const app: App = Fastify({
    logger: false,
    bodyLimit: bodyLimitBytes,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: 5_000,
    routerOptions: { maxParamLength },
    genReqId: () => randomUUID(),
    trustProxy: trustedProxies.length > 0 && [...trustedProxies],
    rewriteUrl: ({ url = '/' }) => withoutBasePath(url, basePath),
    forceCloseConnections: 'idle',
    // For an address that cannot be parsed, before any hook.
    frameworkErrors: (error, request, reply) => {
      setSecurityHeaders('', reply);
      return errors.handle(error, request, reply);
    },
    clientErrorHandler: noHttp.onClientError,
  }).withTypeProvider<ZodTypeProvider>();
  noHttp.observe(app.server);
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(errors.handle);
  app.setNotFoundHandler(errors.notFound);
  // JSON only: a form on another site can send the other content types without a preflight request.
  app.removeContentTypeParser('text/plain');
  app.addHook('onRequest', async ({ url }, reply) => setSecurityHeaders(url.split('?')[0] ?? '', reply));

  await app.register(cookie);
  await app.register(rateLimit, {
    global: false,
    errorResponseBuilder: (_request, { after }) =>
      new Problem('too-many-requests', `Too many logins from this address; try again in ${after}`),
  });
  const credentials = createCredentials(config);
  guardRequests(app, credentials, { origin, basePath });
  refuseUnknownParameters(app);
  leadToPage(app, basePath);
  const { namespace } = config;
  const shardList = createShardList({ redis, namespace });
  const queueWatch = createQueueWatch({ redis, namespace, shardList, elapsedMs: () => performance.now() });
  const ledgerWatch = createLedgerWatch({ database, redis, namespace });
  app.addHook('onClose', async () => {
    queueWatch.stop();
    await ledgerWatch.stop();
  });
  const metrics = createConsoleMetrics({ queueWatch, ledgerWatch }, registry);
  metrics.observe(app);

  const answerOtherMethods = noteMethods(app);
  await serveOpenapi(app, { origin, basePath });
  addProbeRoutes(app, {
    registry,
    whyNotReady: createReadiness({ redis, database, namespace, shardList }),
  });
  addSessionRoutes(app, credentials, { origin, basePath });
  const names = createNameBook(database, () => performance.now());
  const deps = { config, database, redis, queueWatch, shardList, names };
  for (const add of apiRoutes) add(app, deps);
  answerOtherMethods();
  await serveBoard(app, { redis, namespace, shardList, credentials, basePath });
  await servePage(app);
  return {
    app,
    start() {
      queueWatch.start();
      ledgerWatch.start();
    },
  };
}

const apiRoutes = [
  addExecutionRoutes,
  addStrategyRoutes,
  addUpstreamRoutes,
  addRequestRoutes,
  addRuntimeRecordRoutes,
  addDeadLetterRoutes,
  addErasureRoutes,
  addNameRoutes,
  addQueueRoutes,
  addLedgerRoutes,
];
