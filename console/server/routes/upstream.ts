import {
  compareUpstreamMetrics,
  readUpstreamMetrics,
  type UpstreamQuestion,
} from '../../../queries/executions/upstream-metrics.ts';
import { parseWindow } from '../../../queries/executions/window.ts';
import { realmOf } from '../access/guard.ts';
import type { App, RouteDeps } from '../app.ts';
import { apiRoute } from '../http/api-route.ts';
import { Problem } from '../http/problem.ts';
import { strategyParams } from '../schemas/strategies.ts';
import {
  upstreamCompareQuery,
  upstreamComparison,
  upstreamMetrics,
  upstreamMetricsQuery,
} from '../schemas/upstream.ts';

const tags = ['original'];

/** The two routes of the system that Sluice replaces, with their original addresses and field names. */
export function addUpstreamRoutes(app: App, { database }: RouteDeps): void {
  app.get(
    '/api/v1/strategies/custom/compare',
    apiRoute('realm', {
      operationId: 'compareUpstreamMetrics',
      summary: 'Two strategies side by side, with the original’s field names',
      tags,
      querystring: upstreamCompareQuery,
      answers: { 200: upstreamComparison },
    }),
    async (request) => {
      const { a, b, ...texts } = request.query;
      const question = { a, b, realmId: realmOf(request), window: toWindow(texts) };
      const found = await compareUpstreamMetrics(database, question);
      if (found === null) throw new Problem('not-found', 'No execution is stored of one of the two strategies');
      return found;
    },
  );

  app.get(
    '/api/v1/strategies/custom/:strategyId/metrics',
    apiRoute('realm', {
      operationId: 'getUpstreamMetrics',
      summary: 'A strategy’s metrics, with the original’s field names',
      tags,
      params: strategyParams,
      querystring: upstreamMetricsQuery,
      answers: { 200: upstreamMetrics },
    }),
    async (request) => {
      const { strategyId } = request.params;
      const question = { strategyId, realmId: realmOf(request), window: toWindow(request.query) };
      const found = await readUpstreamMetrics(database, question);
      if (found === null) throw new Problem('not-found', 'No execution of this strategy is stored');
      return found;
    },
  );
}

/** As in the original, all time by default. */
function toWindow(query: {
  since?: string | undefined;
  until?: string | undefined;
  window?: string | undefined;
  weighted: 'true' | 'false';
}): UpstreamQuestion['window'] {
  const { weighted, ...texts } = query;
  const isAllTime = texts.since === undefined && texts.window === undefined;
  const { since, until } = parseWindow({ ...texts, ...(isAllTime ? { window: 'all' } : {}) }, Date.now());
  return weighted === 'true'
    ? { since, until }
    : { weighted: false, since, until: texts.until === undefined ? null : until };
}
