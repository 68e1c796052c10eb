import type { FastifyInstance } from 'fastify';
import { sendProblem } from './errors.ts';
import { plainProblem } from './problem.ts';

/**
 * Notes the methods of all routes that are added from now on.
 *
 * @returns adds a route for the other methods, which answers 405 and names the methods that exist
 */
export function noteMethods(app: FastifyInstance): () => void {
  const methodsOf = new Map<string, string[]>();
  app.addHook('onRoute', ({ url, method }) => {
    methodsOf.set(url, [...(methodsOf.get(url) ?? []), ...[method].flat()]);
  });
  return () => {
    for (const [url, methods] of [...methodsOf]) {
      const allow = methods.join(', ');
      app.route({
        method: app.supportedMethods.filter((method) => !methods.includes(method)),
        url,
        config: { access: 'anybody' },
        schema: { hide: true },
        // Before the body is read: its content type does not matter.
        onRequest: async (request, reply) =>
          sendProblem(request, reply.header('allow', allow), plainProblem(405, `This address accepts ${allow}`)),
        handler: () => undefined,
      });
    }
  };
}
