import { type NameBook, nameStrategies } from '../../../names/name-book.ts';
import { compareStrategies } from '../../../queries/executions/compare.ts';
import { listStrategies } from '../../../queries/executions/strategies.ts';
import { readStrategy, type StrategyFigures } from '../../../queries/executions/strategy.ts';
import { parseWindow } from '../../../queries/executions/window.ts';
import { toAbsent } from '../../../queries/ledger/absent.ts';
import { createAbsentReader } from '../absent-reader.ts';
import { realmOf } from '../access/guard.ts';
import type { App, RouteDeps } from '../app.ts';
import { apiRoute } from '../http/api-route.ts';
import {
  comparison,
  comparisonQuery,
  strategiesQuery,
  strategyAnswer,
  strategyList,
  strategyQuery,
} from '../schemas/strategies.ts';

const tags = ['strategies'];
const epoch = new Date(0);

export function addStrategyRoutes(app: App, { database, names }: RouteDeps): void {
  const absentOf = createAbsentReader(database);
  app.get(
    '/api/v1/strategies',
    apiRoute('realm', {
      operationId: 'listStrategies',
      summary: 'Strategies that have run, most recent first',
      tags,
      querystring: strategiesQuery,
      answers: { 200: strategyList },
    }),
    async (request) => {
      const { limit, ...texts } = request.query;
      const { since, until } = parseWindow(texts, Date.now());
      const window = { since: since ?? epoch, until };
      const strategies = await listStrategies(database, { window, limit, realmId: realmOf(request) });
      return { window, strategies: await nameStrategies(names, strategies) };
    },
  );

  app.get(
    '/api/v1/strategy',
    apiRoute('realm', {
      operationId: 'getStrategy',
      summary: 'Everything about a strategy over a window, weighted',
      tags,
      querystring: strategyQuery,
      answers: { 200: strategyAnswer },
    }),
    async (request) => {
      const { strategyId, top, bucketSeconds, ...texts } = request.query;
      const [realmId, window] = [realmOf(request), parseWindow(texts, Date.now())];
      const bucketMs = bucketSeconds === undefined ? null : bucketSeconds * 1_000;
      const [answer, absent] = await Promise.all([
        readStrategy(database, { strategyId, realmId, window, top, bucketMs }),
        absentOf(window, realmId),
      ]);
      return { ...(await nameFigures(names, answer, realmId)), absent: toAbsent(absent, answer.summary) };
    },
  );

  app.get(
    '/api/v1/comparison',
    apiRoute('realm', {
      operationId: 'compareStrategies',
      summary: 'Two strategies side by side, weighted',
      tags,
      querystring: comparisonQuery,
      answers: { 200: comparison },
    }),
    async (request) => {
      const { a, b, top, ...texts } = request.query;
      const [realmId, window] = [realmOf(request), parseWindow(texts, Date.now())];
      const [answer, absent] = await Promise.all([
        compareStrategies(database, { a, b, top, realmId, window }),
        absentOf(window, realmId),
      ]);
      const [first, second] = await Promise.all([
        nameFigures(names, answer.a, realmId),
        nameFigures(names, answer.b, realmId),
      ]);
      return {
        ...answer,
        a: { ...first, absent: toAbsent(absent, answer.a.summary) },
        b: { ...second, absent: toAbsent(absent, answer.b.summary) },
      };
    },
  );
}

/**
 * The name of a strategy. A token of a realm is told none of a strategy that has not run in the realm: who asks for one may have
 * guessed its id.
 */
async function nameFigures<T extends StrategyFigures>(
  names: NameBook,
  figures: T,
  realm: string | null,
): Promise<T & { strategyName: string | null }> {
  const isTold = realm === null || figures.summary.total.rows > 0;
  const found = await names.find('strategy', isTold ? [figures.strategyId] : []);
  return { ...figures, strategyName: found.get(figures.strategyId) ?? null };
}
