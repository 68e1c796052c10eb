import swagger from '@fastify/swagger';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import type { App } from './app.ts';

/** Describes all routes that are added after this, at `/api/v1/openapi.json`. */
export async function serveOpenapi(app: App): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Sluice console',
        version: '1',
        description:
          'What Sluice has stored, and how it is doing. Errors are application/problem+json (RFC 9457). Times are ISO 8601 in UTC.',
      },
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
      security: [{ bearer: [] }],
    },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  });
  app.get('/api/v1/openapi.json', { config: { access: 'anybody' }, schema: { hide: true } }, async () => app.swagger());
}
