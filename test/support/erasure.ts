import { inject, onTestFinished } from 'vitest';
import { eraseSubject, type SubjectErasureOptions } from '../../erasure/erase-subject.ts';
import type { Execution } from '../../producers/index.ts';
import type { ErasureSubject } from '../../shared/contracts/erasure-subject.ts';
import { loadConfig } from '../../shared/platform/config/config.ts';
import { createDatabase } from '../../shared/platform/postgres/database.ts';
import { createRedis } from '../../shared/platform/redis/redis.ts';
import { storeRequests } from '../../workers/completed-requests/store.ts';
import { insertExecutions } from '../../workers/execution-log/store.ts';
import { idOf, recordText } from './execution-fleet.ts';
import { connect, createNamespace, createTestDatabase } from './fixtures.ts';
import { targetOf } from './redis-target.ts';
import { aCompletion, type Completion } from './requests.ts';

/** A database and a namespace of the test's own, with what puts rows there, erases and looks. */
export async function anErasure(environment: Record<string, string> = {}) {
  const databaseUrl = await createTestDatabase();
  const database = createDatabase(loadConfig({ DATABASE_URL: databaseUrl, ...environment }).database, 'test');
  const redis = createRedis(targetOf(inject('redisUrl')), { role: 'consumer', name: 'test', logger: null });
  await redis.connect();
  onTestFinished(async () => {
    redis.disconnect();
    await database.$disconnect();
  });
  const client = await connect(databaseUrl);
  const deps = { database, redis, namespace: createNamespace(), spillDirs: [] };
  let number = 0;
  return {
    ...{ databaseUrl, database, client },
    /** @returns the row's id */
    async run(overrides: Partial<Execution>): Promise<string> {
      number += 1;
      await insertExecutions(database, `[${recordText(number, overrides)}]`, 1);
      return idOf(number);
    },
    async request(overrides: Partial<Completion>): Promise<string> {
      const record = aCompletion(overrides);
      await storeRequests(database, JSON.stringify([record]));
      return record.requestId;
    },
    erase: (subject: ErasureSubject, options: Partial<SubjectErasureOptions> = {}) =>
      eraseSubject(deps, subject, {
        ...{ dryRun: false, ownOnly: false, waitMs: 0, onProgress: () => undefined },
        signal: new AbortController().signal,
        ...options,
      }),
    rows: async () => (await client.query('select * from strategy_execution_log order by id')).rows,
    requests: async () =>
      (
        await client.query(
          'select request.*, body, path from request join request_template on request_template.id = template_id order by created_by',
        )
      ).rows,
  };
}
