import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import type { Database } from '../../shared/platform/postgres/database.ts';
import { asRole, connect, createTestDatabase } from './fixtures.ts';
import { openDatabase } from './health.ts';

/** What a test cares about of a stored request; the rest is plain. */
export interface RequestRow {
  id?: string;
  at?: string | Date;
  /** @default completed, or failed with a status that is not 2xx */
  state?: string;
  /** @default 200 for one that has completed, 500 for one that has failed */
  status?: number | null;
  model?: string;
  provider?: string | null;
  api?: string | null;
  createdBy?: string;
  endpoint?: string;
  tier?: string;
  /** from its start to its end; null: it has no start */
  latencyMs?: number | null;
  /** from its start to its first token */
  firstTokenMs?: number | null;
  input?: number | null;
  cached?: number | null;
  output?: number | null;
  reasoning?: number | null;
  isStream?: boolean;
  body?: string;
  bodyEncoding?: string;
  response?: string | null;
  responseEncoding?: string;
  error?: string | null;
}

export const noon = '2026-03-01T12:00:00.000Z';

/** The window from 11 to 13 o'clock around it. */
export const aroundNoon = { since: new Date('2026-03-01T11:00:00Z'), until: new Date('2026-03-01T13:00:00Z') };

/** A migrated database of the test's own, as the console and an onlooker see it. */
export async function openRequests(): Promise<{ database: Database; client: pg.Client; databaseUrl: string }> {
  const databaseUrl = await createTestDatabase();
  return {
    database: openDatabase(asRole(databaseUrl, 'console')),
    client: await connect(databaseUrl),
    databaseUrl,
  };
}

const ended = ['completed', 'failed', 'canceled'];

/** Inserts requests with their questions, whatever wrote them. @returns their ids, in their order */
export async function insertRequests(client: pg.Client, rows: readonly RequestRow[]): Promise<string[]> {
  const records = rows.map((row) => {
    const isFailure = row.status != null && (row.status < 200 || row.status > 299);
    const { state = isFailure ? 'failed' : 'completed', latencyMs = 1_000, firstTokenMs = null } = row;
    const { status = state === 'completed' ? 200 : state === 'failed' ? 500 : null } = row;
    const atMs = new Date(row.at ?? noon).getTime();
    const isRunning = !ended.includes(state);
    const startedAt = state === 'pending' || state === 'claimed' || latencyMs === null ? null : atMs;
    const endedAt = isRunning ? null : atMs + (latencyMs ?? 0);
    const time = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
    return {
      id: row.id ?? randomUUID(),
      template_id: randomUUID(),
      state,
      status,
      model: row.model ?? 'm-1',
      provider: row.provider ?? null,
      api: row.api ?? null,
      created_by: row.createdBy ?? 'user-1',
      endpoint: row.endpoint ?? '/v1/responses',
      tier: row.tier ?? 'priority',
      at: time(atMs),
      daemon: state === 'pending' ? null : '00000000-0000-0000-0000-000000000000',
      claimed_at: state === 'pending' ? null : time(atMs),
      started_at: time(startedAt),
      completed_at: state === 'completed' ? time(endedAt) : null,
      failed_at: state === 'failed' ? time(endedAt) : null,
      canceled_at: state === 'canceled' ? time(endedAt) : null,
      first_token_at: firstTokenMs === null ? null : time(atMs + firstTokenMs),
      input: row.input ?? null,
      cached: row.cached ?? null,
      output: row.output ?? null,
      reasoning: row.reasoning ?? null,
      is_stream: row.isStream ?? false,
      body: row.body ?? '{"input":"hello"}',
      body_encoding: row.bodyEncoding ?? 'utf8',
      response:
        isRunning || state === 'canceled' ? null : row.response === undefined ? '{"output":"hi"}' : row.response,
      response_encoding: isRunning ? null : (row.responseEncoding ?? 'utf8'),
      error: state === 'failed' ? (row.error ?? '{}') : null,
    };
  });
  await client.query(
    `with row as materialized (
       select * from json_to_recordset($1::json) as row (id uuid, template_id uuid, state text, status smallint, model text,
         provider text, api text, created_by text, endpoint text, tier text, at timestamptz, daemon uuid, claimed_at timestamptz,
         started_at timestamptz, completed_at timestamptz, failed_at timestamptz, canceled_at timestamptz,
         first_token_at timestamptz, input bigint, cached bigint, output bigint, reasoning bigint, is_stream boolean, body text,
         body_encoding text, response text, response_encoding text, error text)),
     asked as (
       insert into request_template (id, method, path, model, body, body_encoding, body_byte_size, body_cut, created_at)
       select template_id, 'POST', endpoint, model, body, body_encoding, octet_length(body), false, at from row)
     insert into request (id, template_id, state, model, service_tier, created_by, daemon_id, response_status, response_body,
       response_encoding, response_size, response_stream, error, created_at, claimed_at, started_at, completed_at, failed_at,
       canceled_at, provider, api, input_tokens, cached_tokens, output_tokens, reasoning_tokens, first_token_at)
     select id, template_id, state, model, tier, created_by, daemon, status, response, response_encoding,
       coalesce(octet_length(response), 0), is_stream, error, at, claimed_at, started_at, completed_at, failed_at, canceled_at,
       provider, api, input, cached, output, reasoning, first_token_at
     from row`,
    [JSON.stringify(records)],
  );
  return records.map(({ id }) => id);
}

/** A price for a million tokens. */
export interface PriceRow {
  model: string;
  provider?: string | null;
  from?: string;
  until?: string | null;
  currency?: string;
  input?: string | null;
  cached?: string | null;
  output?: string | null;
}

export async function insertPrices(client: pg.Client, prices: readonly PriceRow[]): Promise<void> {
  for (const price of prices) {
    const { provider = null, model, from = '2020-01-01T00:00:00Z', until = null, currency = 'USD' } = price;
    const { input = null, cached = null, output = null } = price;
    await client.query(
      `insert into price (provider, model, valid_from, valid_until, currency, input, cached_input, output, source)
       values ($1, $2, $3, $4, $5, $6, $7, $8, 'test')`,
      [provider, model, from, until, currency, input, cached, output],
    );
  }
}
