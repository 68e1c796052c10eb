import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';

const pageDir = fileURLToPath(new URL('../page/', import.meta.url));
const preactDir = fileURLToPath(new URL('.', import.meta.resolve('preact')));
const chartDir = fileURLToPath(new URL('.', import.meta.resolve('uplot/dist/uPlot.esm.js')));

/** No other files in the page's directory are served. */
const pageFile = /^\/?[\w./-]+\.(html|css|m?js|svg|png|ico)$/;

/**
 * Serves the page: `/` is `console/page/index.html`, `/assets/…` the files next to it, `/vendor/…` its libraries. They
 * contain nothing that is not in the package, so they need no token.
 */
export async function servePage(app: FastifyInstance): Promise<void> {
  // In a scope of its own: what the plugin adds to replies must not clash with Bull Board.
  await app.register((scope, _options, done) => {
    scope.addHook('onRoute', (route) => {
      route.config = { ...route.config, access: 'anybody' };
      route.schema = { ...route.schema, hide: true };
    });
    scope.register(fastifyStatic, {
      root: pageDir,
      prefix: '/assets/',
      index: false,
      dotfiles: 'deny',
      // The cache header is already set for all answers.
      cacheControl: false,
      allowedPath: (path) => pageFile.test(path),
    });
    scope.get('/', (_request, reply) => reply.sendFile('index.html', pageDir));
    scope.get('/vendor/preact.js', (_request, reply) => reply.sendFile('preact.mjs', preactDir));
    scope.get('/vendor/uplot.js', (_request, reply) => reply.sendFile('uPlot.esm.js', chartDir));
    scope.get('/vendor/uplot.css', (_request, reply) => reply.sendFile('uPlot.min.css', chartDir));
    done();
  });
}
