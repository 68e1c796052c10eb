import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import type { Completion } from '../request-rows.ts';

const isSuccess = (status: number): boolean => status >= 200 && status <= 299;

/**
 * What the original does with a batch, on Sluice's tables: ends rows in progress, gives those that had none a template with an id of
 * its own, and inserts them unless they exist; in one transaction of three statements.
 */
export async function persistCompleted(client: pg.Client, batch: readonly Completion[]): Promise<void> {
  await client.query('begin');
  try {
    const { rows } = await client.query<{ id: string }>({
      name: 'original-update',
      text: updateText,
      values: [
        batch.map(({ requestId }) => requestId),
        batch.map(({ statusCode }) => statusCode),
        batch.map(({ responseBody }) => responseBody),
        batch.map(({ responseBody }) => Buffer.byteLength(responseBody)),
        batch.map(errorOf),
        batch.map(({ completedAt }) => completedAt),
      ],
    });
    const updated = new Set(rows.map(({ id }) => id));
    const fresh = batch.filter(({ requestId }) => !updated.has(requestId));
    if (fresh.length > 0) await insert(client, fresh);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
}

async function insert(client: pg.Client, batch: readonly Completion[]): Promise<void> {
  const templateIds = batch.map(() => randomUUID());
  await client.query({
    name: 'original-templates',
    text: templatesText,
    values: [
      templateIds,
      batch.map(({ endpoint }) => endpoint),
      batch.map(({ model }) => model),
      batch.map(({ requestBody }) => requestBody),
      batch.map(({ requestBody }) => Buffer.byteLength(requestBody)),
      batch.map(({ startedAt }) => startedAt),
    ],
  });
  await client.query({
    name: 'original-requests',
    text: requestsText,
    values: [
      batch.map(({ requestId }) => requestId),
      templateIds,
      batch.map(({ model }) => model),
      batch.map(({ createdBy }) => createdBy),
      batch.map(({ statusCode }) => statusCode),
      batch.map(({ responseBody }) => responseBody),
      batch.map(({ responseBody }) => Buffer.byteLength(responseBody)),
      batch.map(errorOf),
      batch.map(({ startedAt }) => startedAt),
      batch.map(({ completedAt }) => completedAt),
    ],
  });
}

/** The original's envelope contains the whole body once more. */
function errorOf({ statusCode, responseBody }: Completion): string | null {
  if (isSuccess(statusCode)) return null;
  return JSON.stringify({ type: 'NonRetriableHttpStatus', details: { status: statusCode, body: responseBody } });
}

const updateText = `
  update request set state = case when done.error is null then 'completed' else 'failed' end,
    response_status = done.status, response_body = done.body, response_encoding = 'utf8', response_size = done.size,
    error = done.error, completed_at = case when done.error is null then done.at end,
    failed_at = case when done.error is not null then done.at end, updated_at = now()
  from unnest($1::uuid[], $2::smallint[], $3::text[], $4::bigint[], $5::text[], $6::timestamptz[])
    as done(id, status, body, size, error, at)
  where request.id = done.id and request.state = 'processing' and request.service_tier = 'priority'
  returning request.id`;

const templatesText = `
  insert into request_template (id, method, path, model, body, body_encoding, body_byte_size, body_cut, created_at)
  select id, 'POST', path, model, body, 'utf8', size, false, at
  from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::timestamptz[])
    as template(id, path, model, body, size, at)`;

const requestsText = `
  insert into request (id, template_id, state, model, service_tier, created_by, daemon_id, response_status, response_body,
    response_encoding, response_size, error, created_at, claimed_at, started_at, completed_at, failed_at)
  select id, template_id, case when error is null then 'completed' else 'failed' end, model, 'priority', trim(created_by),
    '00000000-0000-0000-0000-000000000000'::uuid, status, body, 'utf8', size, error, arrived_at, arrived_at, arrived_at,
    case when error is null then ended_at end, case when error is not null then ended_at end
  from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::smallint[], $6::text[], $7::bigint[], $8::text[],
    $9::timestamptz[], $10::timestamptz[])
    as ended(id, template_id, model, created_by, status, body, size, error, arrived_at, ended_at)
  on conflict (id) do nothing`;
