import { deleteRequest } from '../../../erasure/delete-request.ts';
import { listRequests } from '../../../queries/requests/list-requests.ts';
import { findRequest } from '../../../queries/requests/requests.ts';
import { omitUndefined } from '../../../shared/platform/omit-undefined.ts';
import type { App, RouteDeps } from '../app.ts';
import { Problem } from '../http/problem.ts';
import { noContent, problems } from '../schemas/common.ts';
import { request, requestPage, requestParams, requestsQuery } from '../schemas/requests.ts';

const tags = ['requests'];
const notFound = 'There is no request with this id';

export function addRequestRoutes(app: App, { database }: RouteDeps): void {
  app.get(
    '/api/v1/requests',
    {
      config: { access: 'read' },
      schema: {
        operationId: 'listRequests',
        summary: 'Requests: those in progress first, then newest first',
        tags,
        querystring: requestsQuery,
        response: { 200: requestPage, ...problems },
      },
    },
    async ({ query: { limit, cursor = null, from, until, ...rest } }) =>
      listRequests(database, {
        filter: {
          ...omitUndefined(rest),
          ...(from === undefined ? {} : { from: new Date(from) }),
          ...(until === undefined ? {} : { until: new Date(until) }),
        },
        limit,
        cursor,
      }),
  );

  app.get(
    '/api/v1/requests/:id',
    {
      config: { access: 'read' },
      schema: {
        operationId: 'getRequest',
        summary: 'One request, with its bodies',
        tags,
        params: requestParams,
        response: { 200: request, ...problems },
      },
    },
    async ({ params: { id } }) => {
      const found = await findRequest(database, id);
      if (found === null) throw new Problem('not-found', notFound);
      return found;
    },
  );

  app.delete(
    '/api/v1/requests/:id',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'deleteRequest',
        summary: 'Deletes a request for good; records of it that are still in the queue will not be stored',
        tags,
        params: requestParams,
        response: { 204: noContent, ...problems },
      },
    },
    async ({ params: { id } }, reply) => {
      if ((await deleteRequest(database, id)) === 'not-found') throw new Problem('not-found', notFound);
      return reply.code(204).send();
    },
  );
}
