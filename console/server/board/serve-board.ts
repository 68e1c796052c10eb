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

/** The board's page asks another site for a typeface. The policy stops that, and every reader's browser would complain. */
const typefaceFromElsewhere = /<link href="https:\/\/fonts\.[^>]*>/g;

/** Serves Bull Board at `/queues`, whose page has its whole address, base path included, in it: for readers to look at, for operators to pause, resume, retry and promote. */
export async function serveBoard(
  app: FastifyInstance,
  deps: { redis: Redis; namespace: string; credentials: Credentials; basePath: string },
): Promise<void> {
  const queues = ([...queueNames, maintenanceQueue] as const).map((name) => {
    const queue = new BoundedQueue(name, deps.redis, {
      prefix: queuePrefix(name, deps.namespace),
      // It only looks; opening a queue would write its settings.
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
    // Nothing is loaded from elsewhere, and nothing leads there.
    options: {
      uiConfig: {
        boardTitle: 'Sluice',
        hideDocsLink: true,
        miscLinks: [{ text: 'Console', url: `${deps.basePath}/` }],
      },
    },
  });
  serverAdapter.setBasePath(deps.basePath + boardPath);
  // Thrown on, an error is answered as everywhere else.
  serverAdapter.setErrorHandler((error) => {
    throw hasMovedOn(error) ? new Problem('conflict', 'The job is not in a state for this', { cause: error }) : error;
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
          'The board does not change or remove jobs, which hold records, nor show them whole',
        );
      if (Number(jobsPerPage) > mostJobsPerPage)
        throw new Problem('invalid-request', `jobsPerPage is too large; accepted: up to ${mostJobsPerPage}`);
      // A queue waits for an answer far longer than its caller.
      if (route.startsWith('/api/')) await fromRedis(() => deps.redis.ping());
      if (method === 'GET' && route.startsWith('/api/queues')) endTurn.set(request, await turns.begin());
    });
    scope.addHook('preHandler', (request, _reply, next) => currentAccess.run(accessFor(request), next));
    // The answer is made: how long somebody takes to receive it is of no concern to the others.
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

/** BullMQ's scripts refuse with a negative number what a job is not in the state for: it has moved on since it was shown. */
function hasMovedOn(error: Error): boolean {
  return 'code' in error && typeof error.code === 'number';
}

/** One board for all: what an adapter shows, and whether it offers changes, is of whoever asks. */
function toAdapter(queue: BoundedQueue): BullMQAdapter {
  const adapter = new BullMQAdapter(queue);
  // No job of ours has a parent or children, and looking for them reads jobs whole.
  adapter.getFlowProducer = async () => null;
  adapter.setFormatter('data', (data) => describeChunk(data, (currentAccess.getStore() ?? noAccess).reveals));
  adapter.setFormatter('returnValue', () => null);
  return Object.defineProperty(adapter, 'readOnlyMode', {
    get: () => !(currentAccess.getStore() ?? noAccess).mayChange,
  });
}
