import { parseWindow } from '../../../queries/executions/window.ts';
import { readAccounts } from '../../../queries/ledger/read-accounts.ts';
import type { App, RouteDeps } from '../app.ts';
import { apiRoute } from '../http/api-route.ts';
import { accounts, ledgerQuery } from '../schemas/ledger.ts';

export function addLedgerRoutes(app: App, { config: { namespace }, database, redis }: RouteDeps): void {
  app.get(
    '/api/v1/ledger',
    apiRoute('read', {
      operationId: 'getLedger',
      summary: 'Of all that was recorded: what is stored, and where the rest is',
      tags: ['ledger'],
      querystring: ledgerQuery,
      answers: { 200: accounts },
    }),
    async ({ query: { queue, producer, realmId, bucketSeconds, ...texts } }) =>
      readAccounts(
        database,
        { redis, namespace },
        {
          window: parseWindow(texts, Date.now()),
          bucketMs: bucketSeconds === undefined ? null : bucketSeconds * 1_000,
          ...{ queue, producer, realm: realmId },
        },
      ),
  );
}
