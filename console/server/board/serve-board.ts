import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { maintenanceQueue, queueNames, queuePrefix, type ShardName } from '../../../shared/contracts/queues.ts';
import { answerWithin } from '../../../shared/platform/deadline.ts';
import { askShards, partAnswers } from '../../../shared/platform/redis/ask-shards.ts';
import { primariesOf } from '../../../shared/platform/redis/cluster-nodes.ts';
import type { Redis } from '../../../shared/platform/redis/redis.ts';
import { singleFlight } from '../../../shared/platform/single-flight.ts';
import type { Credentials } from '../access/credentials.ts';
import { accessOf } from '../access/guard.ts';
import { fromRedis } from '../http/from-redis.ts';
import { Problem } from '../http/problem.ts';
import type { ShardList } from '../queues/shard-list.ts';
import { boardAccessOf, currentAccess, noAccess } from './access-of-board.ts';
import { mayPass } from './board-rules.ts';
import { BoundedQueue } from './bounded-queue.ts';
import { describeChunk } from './describe-chunk.ts';
import { createReadingTurns, type EndTurn } from './reading-turns.ts';

const boardPath = '/queues';

const shardAnswersWithinMs = 900;

/** The board's page offers up to 50. */
const mostJobsPerPage = 100;

/** The board's page loads a font from another site. The policy blocks that, and every reader's browser would log an error. */
const typefaceFromElsewhere = /<link href="https:\/\/fonts\.[^>]*>/g;

/**
 * Serves Bull Board at `/queues`, each shard of a queue as a queue: readers can view, operators can pause, resume, retry and promote. Its page contains its whole
 * address, including the base path.
 */
export async function serveBoard(
  app: FastifyInstance,
  deps: { redis: Redis; namespace: string; shardList: ShardList; credentials: Credentials; basePath: string },
): Promise<void> {
  const places = createPlaces(deps);
  const turns = createReadingTurns({ maxWaiting: 8, maxWaitMs: 10_000 });
  const serverAdapter = new FastifyAdapter();
  const board = createBullBoard({
    queues: ([...queueNames, maintenanceQueue] as const).map((name) => places.of(name).adapter),
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
  /** Shows the shards that there are now, but none whose server does not answer: BullMQ would wait for it, and the board with it. */
  const showShards = async (): Promise<void> => {
    const known = await Promise.all(queueNames.map((queue) => deps.shardList.of(queue)));
    const names = [...known.flatMap(({ shards }) => shards), maintenanceQueue] as const;
    const asked = await askShards(names, shardAnswersWithinMs, (name) =>
      deps.redis.exists(places.of(name).queue.toKey('id')),
    );
    const { answered, silent } = partAnswers(asked);
    if (answered.length === 0 && silent[0] !== undefined) throw silent[0].error;
    // First none, because the board shows them in the order in which they came.
    board.replaceQueues([]);
    board.setQueues(answered.map(({ shard }) => places.of(shard).adapter));
  };
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
      if (route.startsWith('/api/')) await fromRedis(showShards);
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
  app.addHook('onClose', places.close);
}

/** The BullMQ queues of the board, each opened when it is first shown. */
function createPlaces({ redis, namespace }: { redis: Redis; namespace: string }) {
  const places = new Map<string, { queue: BoundedQueue; adapter: BullMQAdapter }>();
  const listClients = singleFlight(() => listClientsOf(redis));
  return {
    of(name: ShardName | typeof maintenanceQueue) {
      const known = places.get(name);
      if (known !== undefined) return known;
      const queue = new BoundedQueue(name, redis, {
        prefix: queuePrefix(name, namespace),
        // Read only: opening a queue would otherwise write its settings.
        skipMetasUpdate: true,
        // It asks any node of a cluster, also one that is away.
        skipVersionCheck: true,
        listClients,
      });
      queue.on('error', () => undefined);
      const place = { queue, adapter: toAdapter(queue) };
      places.set(name, place);
      return place;
    },
    async close(): Promise<void> {
      await Promise.all(Array.from(places.values(), ({ queue }) => queue.close().catch(() => undefined)));
    },
  };
}

/** Who is connected, a list of each server that answers. @throws Error when none does */
async function listClientsOf(redis: Redis): Promise<string[]> {
  const asked = primariesOf(redis).map((server) => answerWithin(shardAnswersWithinMs, () => server.client('LIST')));
  const lists = (await Promise.all(asked)).flatMap((list) => (list === null ? [] : [String(list)]));
  if (lists.length === 0) throw new Error('Redis does not tell who is connected');
  return lists;
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
  return Object.defineProperties(adapter, {
    readOnlyMode: { get: () => !(currentAccess.getStore() ?? noAccess).mayChange },
    allowCompletedRetries: { value: false },
  });
}
