import swagger from '@fastify/swagger';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import type { PublicAddress } from './access/session.ts';
import type { App } from './app.ts';

/** Describes all routes that are added after this, at `/api/v1/openapi.json`. */
export async function serveOpenapi(app: App, { origin, basePath }: PublicAddress): Promise<void> {
  const server = `${origin ?? ''}${basePath}`;
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Sluice console',
        version: '1',
        description:
          'What Sluice has stored, and its current state. Errors are application/problem+json (RFC 9457). Times are ISO 8601 in UTC.',
      },
      ...(server === '' ? {} : { servers: [{ url: server }] }),
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
      security: [{ bearer: [] }],
    },
    transform: jsonSchemaTransform,
    transformObject: (document) => withoutInputs(jsonSchemaTransformObject(document)),
  });
  app.get('/api/v1/openapi.json', { config: { access: 'anybody' }, schema: { hide: true } }, async () => app.swagger());
}

/** Every schema with an id appears twice, for input and for output; the schemas here are only for output. */
function withoutInputs(document: ReturnType<typeof jsonSchemaTransformObject>) {
  const schemas = 'components' in document ? (document.components?.schemas ?? {}) : {};
  for (const name of Object.keys(schemas)) if (name.endsWith('Input')) delete schemas[name];
  return document;
}
