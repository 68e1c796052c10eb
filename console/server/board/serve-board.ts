import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { maintenanceQueue, queueNames, queuePrefix } from '../../../shared/contracts/queues.ts';
import type { Redis } from '../../../shared/platform/redis/redis.ts';
import type { Credentials } from '../access/credentials.ts';
import { accessOf } from '../access/guard.ts';
import { fromRedis } from '../http/from-redis.ts';
import { Problem } from '../http/problem.ts';
import { boardAccessOf, currentAccess, noAccess } from './access-of-board.ts';
import { mayPass } from './board-rules.ts';
import { BoundedQueue } from './bounded-queue.ts';
import { describeChunk } from './describe-chunk.ts';
import { createReadingTurns, type EndTurn } from './reading-turns.ts';

const boardPath = '/queues';

/** The board's page offers up to 50. */
const mostJobsPerPage = 100;

/** The board's page loads a font from another site. The policy blocks that, and every reader's browser would log an error. */
const typefaceFromElsewhere = /<link href="https:\/\/fonts\.[^>]*>/g;

/**
 * Serves Bull Board at `/queues`: readers can view, operators can pause, resume, retry and promote. Its page contains its whole
 * address, including the base path.
 */
export async function serveBoard(
  app: FastifyInstance,
  deps: { redis: Redis; namespace: string; credentials: Credentials; basePath: string },
): Promise<void> {
  const queues = ([...queueNames, maintenanceQueue] as const).map((name) => {
    const queue = new BoundedQueue(name, deps.redis, {
      prefix: queuePrefix(name, deps.namespace),
      // Read only: opening a queue would otherwise write its settings.
      skipMetasUpdate: true,
    });
    queue.on('error', () => undefined);
    return queue;
  });
  const turns = createReadingTurns({ maxWaiting: 8, maxWaitMs: 10_000 });
  const serverAdapter = new FastifyAdapter();
  createBullBoard({
    queues: queues.map(toAdapter),
    serverAdapter,
    // No link leads to another site.
    options: {
      uiConfig: {
        boardTitle: 'Sluice',
        hideDocsLink: true,
        miscLinks: [{ text: 'Console', url: `${deps.basePath}/` }],
      },
    },
  });
  serverAdapter.setBasePath(deps.basePath + boardPath);
  // Rethrown, so that the error is answered like any other.
  serverAdapter.setErrorHandler((error) => {
    throw hasMovedOn(error)
      ? new Problem('conflict', 'The job is not in a state that allows this', { cause: error })
      : error;
  });

  await app.register((scope, _options, done) => {
    scope.addHook('onRoute', (route) => {
      const methods = [route.method].flat();
      const access = methods.every((method) => method === 'GET' || method === 'HEAD') ? 'read' : 'operator';
      route.config = { ...route.config, access };
    });
    const endTurn = new WeakMap<FastifyRequest, EndTurn>();
    const accessFor = (request: FastifyRequest) => boardAccessOf(accessOf(request), deps.credentials.areRequired);
    scope.addHook('preHandler', async (request) => {
      const { method, routeOptions } = request;
      const route = (routeOptions.url ?? '').slice(boardPath.length);
      const { jobsPerPage } = request.query as { jobsPerPage?: unknown };
      if (!mayPass({ method, route, params: request.params as Record<string, string> }, accessFor(request)))
        throw new Problem(
          'forbidden',
          'The board cannot change or remove jobs, because they hold records, and does not show them whole',
        );
      if (Number(jobsPerPage) > mostJobsPerPage)
        throw new Problem('invalid-request', `jobsPerPage is too large; accepted: up to ${mostJobsPerPage}`);
      // A BullMQ queue waits for an answer far longer than its caller.
      if (route.startsWith('/api/')) await fromRedis(() => deps.redis.ping());
      if (method === 'GET' && route.startsWith('/api/queues')) endTurn.set(request, await turns.begin());
    });
    scope.addHook('preHandler', (request, _reply, next) => currentAccess.run(accessFor(request), next));
    // The answer is complete: the others need not wait until it has been received.
    scope.addHook('onSend', async (request) => endTurn.get(request)?.());
    scope.addHook('onResponse', async (request) => endTurn.get(request)?.());
    scope.addHook('onSend', async (_request, reply, payload) =>
      String(reply.getHeader('content-type')).startsWith('text/html') && typeof payload === 'string'
        ? payload.replaceAll(typefaceFromElsewhere, '')
        : payload,
    );
    scope.register(serverAdapter.registerPlugin(), { prefix: boardPath });
    done();
  });
  app.addHook('onClose', async () => {
    await Promise.all(queues.map((queue) => queue.close().catch(() => undefined)));
  });
}

/** BullMQ's scripts return a negative number if a job's state does not allow the operation: it has changed since it was shown. */
function hasMovedOn(error: Error): boolean {
  return 'code' in error && typeof error.code === 'number';
}

/** All callers share one board: what an adapter shows, and whether it offers changes, depends on the caller. */
function toAdapter(queue: BoundedQueue): BullMQAdapter {
  const adapter = new BullMQAdapter(queue);
  // Sluice's jobs have no parents or children, and looking for them reads whole jobs.
  adapter.getFlowProducer = async () => null;
  adapter.setFormatter('data', (data) => describeChunk(data, (currentAccess.getStore() ?? noAccess).reveals));
  adapter.setFormatter('returnValue', () => null);
  return Object.defineProperty(adapter, 'readOnlyMode', {
    get: () => !(currentAccess.getStore() ?? noAccess).mayChange,
  });
}
