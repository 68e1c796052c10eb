import { deleteRequest } from '../../../erasure/delete-request.ts';
import { nameCreators } from '../../../names/name-book.ts';
import { listRequests } from '../../../queries/requests/list-requests.ts';
import { findRequest } from '../../../queries/requests/requests.ts';
import { omitUndefined } from '../../../shared/platform/omit-undefined.ts';
import type { App, RouteDeps } from '../app.ts';
import { apiRoute } from '../http/api-route.ts';
import { Problem } from '../http/problem.ts';
import { noContent } from '../schemas/common.ts';
import { request, requestPage, requestParams, requestsQuery } from '../schemas/requests.ts';

const tags = ['requests'];
const notFound = 'There is no request with this id';

export function addRequestRoutes(app: App, { database, names }: RouteDeps): void {
  app.get(
    '/api/v1/requests',
    apiRoute('read', {
      operationId: 'listRequests',
      summary: 'Requests: those in progress first, then newest first',
      tags,
      querystring: requestsQuery,
      answers: { 200: requestPage },
    }),
    async ({ query: { limit, cursor = null, from, until, ...rest } }) => {
      const page = await listRequests(database, {
        filter: {
          ...omitUndefined(rest),
          ...(from === undefined ? {} : { from: new Date(from) }),
          ...(until === undefined ? {} : { until: new Date(until) }),
        },
        limit,
        cursor,
      });
      return { ...page, requests: await nameCreators(names, page.requests) };
    },
  );

  app.get(
    '/api/v1/requests/:id',
    apiRoute('read', {
      operationId: 'getRequest',
      summary: 'One request, with its bodies',
      tags,
      params: requestParams,
      answers: { 200: request },
    }),
    async ({ params: { id } }) => {
      const found = await findRequest(database, id);
      if (found === null) throw new Problem('not-found', notFound);
      const name = (await names.find('creator', [found.createdBy])).get(found.createdBy);
      return { ...found, creatorName: name ?? null };
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
