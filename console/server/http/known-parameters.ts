import { z } from 'zod';
import { findUnknownParameter } from '../../../shared/platform/unknown-parameter.ts';
import type { App } from '../app.ts';
import { Problem } from './problem.ts';

/** Refuses parameters that a documented route does not take, also where it takes none. A schema that is not strict ignores them. */
export function refuseUnknownParameters(app: App): void {
  app.addHook('onRequest', async ({ query, routeOptions: { schema } }) => {
    if (schema?.operationId === undefined) return;
    const { querystring } = schema;
    const known = querystring instanceof z.ZodObject ? querystring : z.strictObject({});
    if (known.def.catchall === undefined) return;
    const unknown = findUnknownParameter(query, Object.keys(known.shape));
    if (unknown === null) return;
    const { name, message } = unknown;
    throw new Problem('invalid-request', 'The address has a parameter that is not accepted', {
      errors: [{ in: 'querystring', field: name, message }],
    });
  });
}
