import { randomUUID } from 'node:crypto';
import { onTestFinished } from 'vitest';
import type { RequestRecord } from '../../shared/contracts/completed-request-schema.ts';
import { loadConfig } from '../../shared/platform/config/config.ts';
import { createDatabase } from '../../shared/platform/postgres/database.ts';
import { type EndedRequests, storeRequests } from '../../workers/completed-requests/store.ts';
import { asRole, connect, createTestDatabase } from './fixtures.ts';
import { openDatabase } from './health.ts';

export type Completion = Extract<RequestRecord, { phase: 'completed' }>;
export type Beginning = Extract<RequestRecord, { phase: 'begun' }>;

/** A request that begins: what a test cares about is put over it, and sizes follow the bodies. */
export function aBeginning(overrides: Partial<Beginning> = {}): Beginning {
  const requestBody = overrides.requestBody ?? '{"model":"gpt-5","input":"hello"}';
  return {
    phase: 'begun',
    requestId: randomUUID(),
    createdBy: 'user-1',
    model: 'gpt-5',
    endpoint: '/v1/responses',
    serviceTier: 'priority',
    startedAt: '2026-03-01T12:00:00.000Z',
    requestBody,
    requestEncoding: 'utf8',
    requestBytes: Buffer.byteLength(requestBody),
    requestCut: false,
    ...overrides,
  };
}

/** A request that has ended with 200 after two seconds. */
export function aCompletion(overrides: Partial<Completion> = {}): Completion {
  const { phase, ...begun } = aBeginning();
  const requestBody = overrides.requestBody ?? begun.requestBody;
  const responseBody = overrides.responseBody ?? '{"output":[]}';
  return {
    ...begun,
    phase: 'completed',
    requestBody,
    requestBytes: Buffer.byteLength(requestBody),
    statusCode: 200,
    completedAt: '2026-03-01T12:00:02.000Z',
    responseBody,
    responseEncoding: 'utf8',
    responseBytes: Buffer.byteLength(responseBody),
    responseCut: false,
    isStream: false,
    isIncomplete: false,
    ...overrides,
  };
}

/** A migrated database of the test's own with the statement of the worker, and a connection to look into it. */
export async function aRequestStore(environment: Record<string, string> = {}) {
  const databaseUrl = await createTestDatabase();
  const database = createDatabase(loadConfig({ DATABASE_URL: databaseUrl, ...environment }).database, 'test');
  onTestFinished(() => database.$disconnect());
  const client = await connect(databaseUrl);
  return {
    databaseUrl,
    database,
    /** the same database as a console that only reads has it */
    reader: openDatabase(asRole(databaseUrl, 'console')),
    client,
    /** Stores records as a worker does. @returns how each of them ended, in order */
    async store(records: readonly unknown[]): Promise<string[]> {
      return toList(await storeRequests(database, JSON.stringify(records)));
    },
    rows: async () => (await client.query('select * from request order by created_at, id')).rows,
    templates: async () => (await client.query('select * from request_template order by created_at, id')).rows,
    /** templates without a row, and rows without a template */
    async orphans(): Promise<number> {
      const { rows } = await client.query<{ n: number }>(
        `select count(*)::int as n from request full join request_template on request_template.id = template_id
         where request.id is null or request_template.id is null`,
      );
      return rows[0]?.n ?? 0;
    },
  };
}

/** `outcome`, or `outcome state` where a row was found, for each record in order. */
export function toList(ended: readonly EndedRequests[]): string[] {
  const list: string[] = [];
  for (const { outcome, state, indexes } of ended) {
    for (const index of indexes) list[index] = state === null ? outcome : `${outcome} ${state}`;
  }
  return list;
}

/** Puts a row into a state by hand, as a daemon of another system would. */
export const stateColumns: Record<string, string> = {
  pending: `state = 'pending', daemon_id = null, claimed_at = null, started_at = null`,
  claimed: `state = 'claimed', daemon_id = gen_random_uuid(), claimed_at = now(), started_at = null`,
  processing: `state = 'processing'`,
  completed: `state = 'completed', response_status = 200, response_body = 'kept', completed_at = now()`,
  failed: `state = 'failed', error = '{}', failed_at = now()`,
  canceled: `state = 'canceled', canceled_at = now()`,
};
