import type { FastifyRequest } from 'fastify';
import { nameStrategies } from '../../../names/name-book.ts';
import { parseContent } from '../../../queries/executions/content.ts';
import { listExecutions } from '../../../queries/executions/list.ts';
import { findExecution } from '../../../queries/executions/one.ts';
import { requireStrategy, searchExecutions } from '../../../queries/executions/search.ts';
import { parseWindow } from '../../../queries/executions/window.ts';
import { omitUndefined } from '../../../shared/platform/omit-undefined.ts';
import { realmOf } from '../access/guard.ts';
import type { App, RouteDeps } from '../app.ts';
import { apiRoute } from '../http/api-route.ts';
import { Problem } from '../http/problem.ts';
import { execution, executionPage, executionsQuery } from '../schemas/executions.ts';
import { requestParams } from '../schemas/requests.ts';

const tags = ['executions'];

export function addExecutionRoutes(app: App, { database, names }: RouteDeps): void {
  app.get(
    '/api/v1/executions',
    apiRoute('realm', {
      operationId: 'listExecutions',
      summary: 'Executions of one strategy or of all, newest first',
      tags,
      querystring: executionsQuery,
      answers: { 200: executionPage },
    }),
    async (request) => {
      const {
        strategyId = null,
        since,
        until,
        window,
        limit,
        cursor = null,
        unmatched,
        realmId,
        node,
        gave,
        input,
        ...rest
      } = request.query;
      const span = parseWindow({ since, until, window }, Date.now());
      const realm = realmWithin(request, realmId);
      const filter = {
        ...omitUndefined(rest),
        ...(unmatched === 'true' ? { caseName: null } : {}),
        ...(realm === null ? {} : { realmId: realm }),
      };
      const content = parseContent({ node, gave, input });
      const asked = { window: span, filter, limit, cursor };
      const page =
        content === null
          ? await listExecutions(database, { ...asked, strategyId })
          : await searchExecutions(database, { ...asked, strategyId: requireStrategy(strategyId), content });
      const executions = await nameStrategies(names, page.executions);
      return { ...page, executions, since: span.since, until: span.until };
    },
  );

  app.get(
    '/api/v1/executions/:id',
    apiRoute('realm', {
      operationId: 'getExecution',
      summary: 'One execution, with its trace and input',
      tags,
      params: requestParams,
      answers: { 200: execution },
    }),
    async (request) => {
      const found = await findExecution(database, request.params.id);
      const realm = realmOf(request);
      // Do not reveal that another realm's execution exists.
      if (found === null || (realm !== null && found.realmId !== realm))
        throw new Problem('not-found', 'There is no execution with this id');
      const name = (await names.find('strategy', [found.strategyId])).get(found.strategyId);
      return { ...found, strategyName: name ?? null };
    },
  );
}

/** The realm that a list is confined to: the caller's own, or the requested one. */
function realmWithin(request: FastifyRequest, asked: string | undefined): string | null {
  const own = realmOf(request);
  if (own !== null && asked !== undefined && asked !== own)
    throw new Problem('forbidden', 'This token gives access to another realm only');
  return own ?? asked ?? null;
}
