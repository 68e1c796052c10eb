import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import { Queue } from 'bullmq';
import type { FastifyInstance } from 'fastify';
import { maintenanceQueue, queueNames, queuePrefix } from '../../../shared/contracts/queues.ts';
import type { Redis } from '../../../shared/redis.ts';
import type { Credentials } from '../access/credentials.ts';
import { accessOf } from '../access/guard.ts';
import { Problem } from '../http/problem.ts';
import { boardAccessOf, currentAccess, noAccess } from './access-of-board.ts';
import { mayPass } from './board-rules.ts';
import { describeChunk } from './describe-chunk.ts';

const basePath = '/queues';

/** The board's page asks another site for a typeface. The policy stops that, and every reader's browser would complain. */
const typefaceFromElsewhere = /<link href="https:\/\/fonts\.[^>]*>/g;

/** Serves Bull Board at `/queues`: for readers to look at, for operators to pause, resume, retry and promote. */
export async function serveBoard(
  app: FastifyInstance,
  deps: { redis: Redis; namespace: string; credentials: Credentials },
): Promise<void> {
  const queues = ([...queueNames, maintenanceQueue] as const).map((name) => {
    const queue = new Queue(name, {
      connection: deps.redis,
      prefix: queuePrefix(name, deps.namespace),
      // It only looks; opening a queue would write its settings.
      skipMetasUpdate: true,
    });
    queue.on('error', () => undefined);
    return queue;
  });
  const serverAdapter = new FastifyAdapter();
  createBullBoard({
    queues: queues.map(toAdapter),
    serverAdapter,
    // Nothing is loaded from elsewhere, and nothing leads there.
    options: { uiConfig: { boardTitle: 'Sluice', hideDocsLink: true, miscLinks: [{ text: 'Console', url: '/' }] } },
  });
  serverAdapter.setBasePath(basePath);
  // Thrown on, an error is answered as everywhere else.
  serverAdapter.setErrorHandler((error) => {
    throw error;
  });

  await app.register((scope, _options, done) => {
    scope.addHook('onRoute', (route) => {
      const methods = [route.method].flat();
      const access = methods.every((method) => method === 'GET' || method === 'HEAD') ? 'read' : 'operator';
      route.config = { ...route.config, access };
    });
    scope.addHook('preHandler', (request, _reply, next) => {
      const access = boardAccessOf(accessOf(request), deps.credentials.areRequired);
      const path = (request.url.split('?')[0] ?? '').slice(basePath.length);
      if (!mayPass(request.method, path, access))
        return next(
          new Problem('forbidden', 'The board does not change or remove jobs, which hold records, nor show them whole'),
        );
      // A queue waits for its connection for ever, and the caller would with it.
      if (path.startsWith('/api/') && deps.redis.status !== 'ready')
        return next(new Problem('unavailable', 'Redis did not answer'));
      currentAccess.run(access, next);
    });
    scope.addHook('onSend', async (_request, reply, payload) =>
      String(reply.getHeader('content-type')).startsWith('text/html') && typeof payload === 'string'
        ? payload.replaceAll(typefaceFromElsewhere, '')
        : payload,
    );
    scope.register(serverAdapter.registerPlugin(), { prefix: basePath });
    done();
  });
  app.addHook('onClose', async () => {
    await Promise.all(queues.map((queue) => queue.close().catch(() => undefined)));
  });
}

/** One board for all: what an adapter shows, and whether it offers changes, is of whoever asks. */
function toAdapter(queue: Queue): BullMQAdapter {
  const adapter = new BullMQAdapter(queue);
  adapter.setFormatter('data', (data) => describeChunk(data, (currentAccess.getStore() ?? noAccess).reveals));
  adapter.setFormatter('returnValue', () => null);
  return Object.defineProperty(adapter, 'readOnlyMode', {
    get: () => !(currentAccess.getStore() ?? noAccess).mayChange,
  });
}
