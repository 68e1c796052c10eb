import { deleteRequest } from '../../../erasure/delete-request.ts';
import { nameCreators } from '../../../names/name-book.ts';
import { parseWindow } from '../../../queries/executions/window.ts';
import { compareRequests } from '../../../queries/requests/compare.ts';
import { listRequests } from '../../../queries/requests/list-requests.ts';
import { toCompared } from '../../../queries/requests/parse-compared.ts';
import { findBody, findRequest } from '../../../queries/requests/requests.ts';
import { searchRequests } from '../../../queries/requests/search-requests.ts';
import { readRequestStats } from '../../../queries/requests/stats.ts';
import { omitUndefined } from '../../../shared/platform/omit-undefined.ts';
import type { App, RouteDeps } from '../app.ts';
import { apiRoute } from '../http/api-route.ts';
import { Problem } from '../http/problem.ts';
import { noContent } from '../schemas/common.ts';
import {
  requestComparison,
  requestComparisonQuery,
  requestStats,
  requestStatsQuery,
} from '../schemas/request-figures.ts';
import {
  bodyFile,
  bodyParams,
  request,
  requestPage,
  requestParams,
  requestQuery,
  requestsQuery,
} from '../schemas/requests.ts';

const tags = ['requests'];
const notFound = 'There is no request with this id';

export function addRequestRoutes(app: App, { database, names }: RouteDeps): void {
  app.get(
    '/api/v1/requests',
    apiRoute('read', {
      operationId: 'listRequests',
      summary: 'Requests: those in progress first, then newest first; with a text to search for, newest first',
      tags,
      querystring: requestsQuery,
      answers: { 200: requestPage },
    }),
    async ({ query: { limit, cursor = null, from, until, text, ...rest } }) => {
      const filter = {
        ...omitUndefined(rest),
        ...(from === undefined ? {} : { from: new Date(from) }),
        ...(until === undefined ? {} : { until: new Date(until) }),
      };
      const page =
        text === undefined
          ? await listRequests(database, { filter, limit, cursor })
          : await searchRequests(database, { filter, text, limit, cursor });
      return { ...page, requests: await nameCreators(names, page.requests) };
    },
  );

  app.get(
    '/api/v1/requests/stats',
    apiRoute('read', {
      operationId: 'getRequestStats',
      summary:
        'Figures of the requests that arrived within a window: failures, times, tokens and cost, over time and by group',
      tags,
      querystring: requestStatsQuery,
      answers: { 200: requestStats },
    }),
    async ({ query: { since, until, window, by = null, sort, top, bucketSeconds, ...subject } }) => {
      const stats = await readRequestStats(database, {
        window: parseWindow({ since, until, window }, Date.now()),
        subject: omitUndefined(subject),
        by,
        sort,
        top,
        bucketMs: bucketSeconds === undefined ? null : bucketSeconds * 1_000,
      });
      return { ...stats, lastFailures: await nameCreators(names, stats.lastFailures) };
    },
  );

  app.get(
    '/api/v1/requests/compare',
    apiRoute('read', {
      operationId: 'compareRequests',
      summary: 'The requests of two models, or of two windows, side by side',
      tags,
      querystring: requestComparisonQuery,
      answers: { 200: requestComparison },
    }),
    async ({ query: { a, b, since, until, window, baseSince, baseUntil, ...subject } }) => {
      const span = parseWindow({ since, until, window }, Date.now());
      return compareRequests(database, {
        window: span,
        compared: toCompared({ a, b, baseSince, baseUntil }, span),
        subject: omitUndefined(subject),
      });
    },
  );

  app.get(
    '/api/v1/requests/:id',
    apiRoute('read', {
      operationId: 'getRequest',
      summary: 'One request, with its bodies',
      tags,
      params: requestParams,
      querystring: requestQuery,
      answers: { 200: request },
    }),
    async ({ params: { id }, query }) => {
      const found = await findRequest(database, id, omitUndefined(query));
      if (found === null) throw new Problem('not-found', notFound);
      const name = (await names.find('creator', [found.createdBy])).get(found.createdBy);
      return { ...found, creatorName: name ?? null };
    },
  );

  app.get(
    '/api/v1/requests/:id/bodies/:body',
    apiRoute('read', {
      operationId: 'getRequestBody',
      summary: 'A body of a request as it was stored, as a file',
      tags,
      params: bodyParams,
      answers: { 200: bodyFile },
    }),
    async ({ params: { id, body: which } }, reply) => {
      const body = await findBody(database, id, which);
      if (body === null) throw new Problem('not-found', 'There is no such request, or it has no such body');
      return reply
        .type('application/octet-stream')
        .header('content-disposition', `attachment; filename="${which}-${id}.txt"`)
        .send(body);
    },
  );

  app.delete(
    '/api/v1/requests/:id',
    apiRoute('operator', {
      operationId: 'deleteRequest',
      summary: 'Deletes a request for good; records of it that are still in the queue will not be stored',
      tags,
      params: requestParams,
      answers: { 204: noContent },
    }),
    async ({ params: { id } }, reply) => {
      if ((await deleteRequest(database, id)) === 'not-found') throw new Problem('not-found', notFound);
      return reply.code(204).send();
    },
  );
}
