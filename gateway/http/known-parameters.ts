import type { FastifyInstance } from 'fastify';
import { findUnknownParameter } from '../../shared/platform/unknown-parameter.ts';
import { Refusal } from './refusal.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** the names of the parameters that the query of its address may have. @default none */
    parameters?: readonly string[];
  }
}

/** Refuses parameters that a route does not take. Probes may be asked with any: balancers and scrapers add their own. */
export function refuseUnknownParameters(app: FastifyInstance): void {
  app.addHook('onRequest', async ({ query, routeOptions: { config } }) => {
    const { scope, parameters = [] } = config;
    if (scope === undefined || scope === 'metrics') return;
    const unknown = findUnknownParameter(query, parameters);
    if (unknown !== null) throw new Refusal('invalid-request', `${unknown.name}: ${unknown.message}`);
  });
}
