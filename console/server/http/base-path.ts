import type { FastifyInstance } from 'fastify';

/**
 * The address that a request means: everything is served at the root and below the base path alike. So a proxy may pass the
 * base path on or take it away, and those who ask past the proxy, such as probes and scrapers, need not know it.
 *
 * @param basePath '' or such as `/sluice`
 */
export function withoutBasePath(url: string, basePath: string): string {
  if (!isBelow(url, basePath)) return url;
  const rest = url.slice(basePath.length);
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** Whether an address is the base path, or below it. */
export function isBelow(url: string, basePath: string): boolean {
  return url.startsWith(basePath) && /^([/?]|$)/.test(url.slice(basePath.length));
}

/** Leads from the base path to the page: its own addresses are relative to the slash at the end. */
export function leadToPage(app: FastifyInstance, basePath: string): void {
  app.addHook('onRequest', async ({ originalUrl }, reply) => {
    const rest = isBelow(originalUrl, basePath) ? originalUrl.slice(basePath.length) : '/';
    if (!rest.startsWith('/')) return reply.redirect(`${basePath}/${rest}`, 308);
  });
}
