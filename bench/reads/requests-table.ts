import type pg from 'pg';
import { say } from '../../dev/steps.ts';
import { createRequestRows } from '../requests/request-rows.ts';
import type { Testbed } from '../testbed.ts';

/** A table with completed requests of a busy gateway, and the windows to ask for. */
export interface FilledRequests {
  rows: number;
  /** of the whole table with its indexes and out-of-line storage, in bytes */
  bytes: number;
  indexBytes: number;
  /** after the newest row */
  until: Date;
  /** 24 hours before that, and the rows since then */
  dayAgo: Date;
  dayRows: number;
}

/** The interval between rows in ms: 50,000 rows a day, so that a million are 20 days. */
const everyMs = 1_728;
const dayMs = 86_400_000;
const chunkRows = 50_000;
const distinctBodies = 600;
const bodyBytes = 2_048;

/** Fills the tables with requests whose bodies have 2 KB each, of 8 models, 4 endpoints and 500 creators, with prices that change. */
export async function fillRequests(testbed: Testbed, rows: number): Promise<FilledRequests> {
  const client = await testbed.connect('the connection to the requests');
  await client.query('truncate request, request_template, price');
  await prepareBodies(client);
  await client.query(insertPrices);
  const until = new Date();
  const fromMs = until.getTime() - rows * everyMs;
  for (let start = 0; start < rows; start += chunkRows) {
    const end = Math.min(rows, start + chunkRows);
    await client.query(insertRequests, [start, end - 1, new Date(fromMs), everyMs, distinctBodies]);
    if ((end / chunkRows) % 4 === 0)
      say(`${end.toLocaleString('en')} of ${rows.toLocaleString('en')} requests are made`);
  }
  await client.query('vacuum analyze request');
  await client.query('vacuum analyze request_template');
  await client.query('checkpoint');
  const { rows: sizes } = await client.query<{ bytes: number; index_bytes: number }>(
    `select pg_total_relation_size('request')::float8 as bytes, pg_indexes_size('request')::float8 as index_bytes`,
  );
  const { bytes = 0, index_bytes: indexBytes = 0 } = sizes[0] ?? {};
  return {
    ...{ rows, bytes, indexBytes, until },
    dayAgo: new Date(until.getTime() - dayMs),
    dayRows: Math.min(rows, dayMs / everyMs),
  };
}

/** Bodies in a temporary table, compressed in the row, so that filling copies the bytes, and compresses no body again. */
async function prepareBodies(client: pg.Client): Promise<void> {
  const bodies = createRequestRows(distinctBodies, bodyBytes);
  await client.query('drop table if exists bodies');
  await client.query(
    'create temp table bodies (n int primary key, request text, response text, stream boolean, failed boolean)',
  );
  await client.query('alter table bodies alter request set storage main, alter response set storage main');
  await client.query(
    `insert into bodies select ordinality - 1, body->>'requestBody', body->>'responseBody', (body->>'isStream')::boolean,
       body->>'statusCode' <> '200'
     from jsonb_array_elements($1::jsonb) with ordinality as element (body, ordinality)`,
    [JSON.stringify(Array.from({ length: distinctBodies }, (_, index) => bodies.record(index)))],
  );
  await client.query('analyze bodies');
  await client.query('select setseed(0.5)');
}

const insertPrices = `
  insert into price (provider, model, valid_from, valid_until, currency, input, cached_input, output, source)
  select null, 'model-' || n || '*', at, lead(at) over (partition by n order by at), 'USD', 0.25 * n, 0.025 * n, 2 * n, 'bench'
  from generate_series(0, 6) as n, unnest(array['2020-01-01'::timestamptz, now() - interval '12 hours']) as at`;

const insertRequests = `
  with drawn as materialized (
    select n, gen_random_uuid() as template_id, $3::timestamptz + n * $4::float8 * interval '1 ms' as at, bodies.*,
      1000 * exp(0.8 * sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random())) as ms, random() as a, random() as b,
      floor(300 * exp(2 * random()))::bigint as input, floor(100 * exp(3 * random()))::bigint as output
    from generate_series($1::int, $2::int) as numbers (n) join lateral (select request, response, stream, failed from bodies
      where bodies.n = numbers.n % $5::int) as bodies on true
  ), asked as (
    insert into request_template (id, method, path, model, body, body_encoding, body_byte_size, body_cut, created_at)
    select template_id, 'POST', (array['/v1/responses', '/v1/chat/completions', '/v1/messages', '/v1/embeddings'])[1 + n % 4],
      'model-' || n % 8, request, 'utf8', 2048, false, at from drawn order by n
  )
  insert into request (id, template_id, state, model, service_tier, created_by, daemon_id, response_status, response_body,
    response_encoding, response_size, response_stream, error, created_at, claimed_at, started_at, completed_at, failed_at, provider,
    api, input_tokens, cached_tokens, output_tokens, reasoning_tokens, finish_reason, first_token_at, facts_version)
  select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7'
      || substr(translate(gen_random_uuid()::text, '-', ''), 14))::uuid,
    template_id, case when failed then 'failed' else 'completed' end, 'model-' || n % 8, 'default',
    'user-' || floor(500 * a * a), '00000000-0000-0000-0000-000000000000', case when failed then 429 else 200 end, response, 'utf8',
    2048, stream and not failed, case when failed then '{}' end, at, at, at,
    case when not failed then at + ms * interval '1 ms' end, case when failed then at + ms * interval '1 ms' end,
    (array['openai', 'anthropic', 'google'])[1 + n % 3], (array['openai-responses', 'openai-chat', 'anthropic-messages'])[1 + n % 3],
    case when not failed then input end, case when not failed and b < 0.3 then floor(input * b)::bigint end,
    case when not failed then output end, case when not failed and b > 0.7 then floor(output / 2)::bigint end,
    case when not failed then 'stop' end, case when stream and not failed then at + ms * 0.2 * interval '1 ms' end, 1
  from drawn order by n`;
