import { whyNoName } from '../../../names/display-name.ts';
import { listNames } from '../../../names/find-names.ts';
import { writeNames } from '../../../names/write-names.ts';
import { UsageError } from '../../../shared/platform/errors.ts';
import type { App, RouteDeps } from '../app.ts';
import { apiRoute } from '../http/api-route.ts';
import { namePage, namesBody, namesQuery, writtenNames } from '../schemas/names.ts';

const tags = ['names'];

/** Ids are in the body of a change, because addresses are written to logs. */
export function addNameRoutes(app: App, { database, names }: RouteDeps): void {
  app.get(
    '/api/v1/names',
    apiRoute('read', {
      operationId: 'listNames',
      summary: 'What people call strategies and creators',
      tags,
      querystring: namesQuery,
      answers: { 200: namePage },
    }),
    async ({ query: { kind = null, limit, cursor = null } }) => listNames(database, { kind, limit, cursor }),
  );

  app.post(
    '/api/v1/names',
    apiRoute('operator', {
      operationId: 'writeNames',
      summary:
        'Gives names to strategies and creators, or takes them away: all or none; repeating this changes nothing',
      tags,
      body: namesBody,
      answers: { 200: writtenNames },
    }),
    async ({ body }) => {
      const changes = body.names.map(({ name, ...rest }) => ({ ...rest, name: name?.trim() ?? null }));
      const seen = new Set<string>();
      for (const [index, { kind, id, name }] of changes.entries()) {
        // One that is taken away needs an id only.
        const why = whyNoName({ id, name: name ?? 'x' });
        if (why !== null) throw new UsageError(`names.${index}: ${why}`);
        const key = JSON.stringify([kind, id]);
        if (seen.has(key)) throw new UsageError(`names.${index}: the same ${kind} is in this list before`);
        seen.add(key);
      }
      const written = await writeNames(database, changes);
      names.forget();
      return written;
    },
  );
}
