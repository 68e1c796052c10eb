import { accountQueries } from '../../shared/platform/ledger/chunk-statement.ts';
import type { JsonStatement } from '../../shared/platform/postgres/database.ts';
import { factFields } from './facts.ts';
import { narrowFields, wideFields } from './fields.ts';

/** The fields of a record, with what was read in its bodies, and the types that they are read with. */
const fields = [...narrowFields, ...wideFields, ...factFields];

const names = fields.map(({ name }) => `"${name}"`).join(', ');
const shape = fields.map(({ name, type }) => `"${name}" ${type}`).join(', ');

/** What the id of a request's template is made of, before the request's id. */
export const templateSeed = 'sluice:request_template:';

/** How the statement ends. */
const end = `
  select outcome, state, array_agg(("index" - 1)::integer order by "index") as indexes
  from ended
  group by outcome, state`;

/** A request that runs is held by no daemon of ours. */
export const nobody = '00000000-0000-0000-0000-000000000000';

/**
 * The parts of the statement that come before and after its one parameter, a JSON array of records. It returns the
 * records by how they ended: `outcome`, `state` of the row found or null, `indexes` from 0.
 *
 * - What is wide, the bodies, is read once and sorted once; who comes first and what is to be done is found out on narrow
 *   rows. Yes and no are booleans of their own: from `turn = 1` PostgreSQL would expect one row, and join by nested loops.
 * - Rows are locked, and then rows inserted, each in the order of their ids: two statements with the same ids cannot wait
 *   for each other.
 * - `seen` are the rows that are there, `found` those of them that run and that nobody holds, as they are now: a record whose
 *   row runs and is not found is `locked`. It is not inserted either, since an insert would wait for whoever is changing the
 *   row. A row that has ended stays as it is, so nobody has to hold it.
 * - A row that was inserted since the statement began is not seen, and not inserted: that record is `raced`, and a second
 *   statement will see the row.
 * - The first record of an id says whose it is; of its creator's records the first completion counts, else the first one.
 * - `deletions` locks no row, but the table: a deletion that holds the table in exclusive mode waits for the statements
 *   under way, and the others for it. A lock on a table is taken before the snapshot, so what waited sees the tombstone.
 *   Were `request_tombstone` merely read, only a lock that also keeps out a dump would do. Who holds a tombstone, such as
 *   the purge, is not waited for: it is there, so the request was deleted.
 * - The span of a request is that of its completion, which alone counts when both are in one batch; else that of its beginning.
 * - Templates are inserted for inserted rows only, so there is none without its row.
 * - `on conflict` names no column: were it `(id)`, two statements that insert one id at once would meet at the unique
 *   index on `template_id` first, now and then, and one of them fail.
 */
export const storeStatement: JsonStatement = [
  `with input as materialized (
    select record.* from rows from (json_to_recordset(`,
  `::json) as (${shape})) with ordinality as record (${names}, "index")
  ),
  owned as (
    select "index", "requestId", "createdBy", "phase", "startedAt",
      first_value("createdBy") over (partition by "requestId" order by "index") as owner
    from input
  ),
  turns as materialized (
    select owned.*, "createdBy" = owner as is_owners, row_number() over (
      partition by "requestId" order by "createdBy" = owner desc, "phase" = 'completed' desc, "index") = 1 as is_first
    from owned
  ),
  seen as materialized (
    select request.id, request.state, request.created_by, request.state in ('completed', 'failed', 'canceled') as is_over
    from sluice.request join turns on request.id = turns."requestId"
    where is_first
  ),
  found as materialized (
    select request.id, request.state, request.created_by
    from sluice.request join seen on seen.id = request.id
    where not is_over
    order by request.id
    for no key update of request skip locked
  ),
  deletions as (
    select from sluice.request_tombstone where false for key share
  ),
  deleted as materialized (
    select tombstone.id
    from sluice.request_tombstone as tombstone join turns on tombstone.id = turns."requestId"
    where is_first
  ),
  judged as (
    select "index", "requestId", coalesce(found.state, seen.state) as state, case
      when deleted.id is not null or erasure.creator_hash is not null then 'tombstoned'
      when seen.id is null then 'inserted'
      when found.id is null and not is_over then 'locked'
      when coalesce(found.created_by, seen.created_by) <> "createdBy" then 'foreign'
      when "phase" = 'begun' or is_over or found.state in ('completed', 'failed', 'canceled') then 'duplicate'
      when found.state = 'processing' then 'updated'
      else 'conflict'
    end as outcome
    from turns
    left join seen on seen.id = "requestId"
    left join found on found.id = "requestId"
    left join deleted on deleted.id = "requestId"
    left join sluice.creator_erasure as erasure
      on erasure.creator_hash = sha256(convert_to("createdBy", 'UTF8')) and "startedAt" <= erasure.erased_before
    where is_first
  ),
  planned as materialized (
    select judged.*, outcome = 'inserted' as is_insert, outcome = 'updated' as is_update from judged
  ),
  updated as (
    update sluice.request set state = case when "statusCode" between 200 and 299 then 'completed' else 'failed' end,
      completed_at = case when "statusCode" between 200 and 299 then "completedAt" end,
      failed_at = case when "statusCode" between 200 and 299 then null else "completedAt" end,
      error = ${errorOf('"statusCode"')},
      response_status = "statusCode", response_body = "responseBody", response_encoding = "responseEncoding",
      response_size = "responseBytes", response_cut = "responseCut", response_stream = "isStream",
      response_incomplete = "isIncomplete", notes = coalesce(input.notes, request.notes), updated_at = now(),
      trace_id = coalesce("traceId", trace_id), span_id = case when "traceId" is null then span_id else "spanId" end,
      provider = coalesce(nullif(input."provider", ''), request.provider), first_token_at = "firstTokenAt",
      api = input."api", input_tokens = "inputTokens", cached_tokens = "cachedTokens", output_tokens = "outputTokens",
      reasoning_tokens = "reasoningTokens", finish_reason = "finishReason", tool_calls = "toolCalls",
      facts_version = "factsVersion"
    from planned join input using ("index")
    where request.id = planned."requestId" and is_update
  ),
  inserted as (
    insert into sluice.request (id, template_id, state, model, service_tier, created_by, daemon_id, response_status,
      response_body, response_encoding, response_size, response_cut, response_stream, response_incomplete, error, notes,
      created_at, claimed_at, started_at, completed_at, failed_at, trace_id, span_id, provider, api, input_tokens,
      cached_tokens, output_tokens, reasoning_tokens, finish_reason, tool_calls, first_token_at, facts_version)
    select input."requestId", ${templateIdOf('input."requestId"')},
      case when "phase" = 'begun' then 'processing' when "statusCode" between 200 and 299 then 'completed' else 'failed' end,
      "model", "serviceTier", "createdBy", '${nobody}'::uuid, "statusCode", "responseBody", "responseEncoding",
      coalesce("responseBytes", 0), coalesce("responseCut", false), coalesce("isStream", false),
      coalesce("isIncomplete", false), ${errorOf('"statusCode"')}, notes, "startedAt", "startedAt", "startedAt",
      case when "statusCode" between 200 and 299 then "completedAt" end,
      case when "statusCode" not between 200 and 299 then "completedAt" end, "traceId", "spanId", nullif("provider", ''),
      "api", "inputTokens", "cachedTokens", "outputTokens", "reasoningTokens", "finishReason", "toolCalls", "firstTokenAt",
      "factsVersion"
    from planned join input using ("index")
    where is_insert
    order by input."requestId"
    on conflict do nothing
    returning id, template_id
  ),
  templates as (
    insert into sluice.request_template (id, method, path, model, body, body_encoding, body_byte_size, body_cut, api_key_hash,
      created_at)
    select template_id, 'POST', "endpoint", "model", "requestBody", "requestEncoding", "requestBytes", "requestCut",
      "apiKeyHash", "startedAt"
    from planned join input using ("index") join inserted on inserted.id = planned."requestId"
    on conflict do nothing
  ),
  ended as (
    select turns."index", planned.state, case
      when is_insert and inserted.id is null then 'raced'
      when turns."index" = planned."index" then outcome
      when not is_owners and outcome not in ('tombstoned', 'locked') then 'foreign'
      when is_insert or is_update or (turns."phase" = 'begun' and outcome = 'conflict') then 'duplicate'
      else outcome
    end as outcome
    from turns
    join planned using ("requestId")
    left join inserted on inserted.id = turns."requestId"
  )${end}`,
];

/** The same with the accounts of its records as a second parameter: written with their rows. Those that are tried again have none yet. */
export const accountedStoreStatement: JsonStatement = toAccounted(storeStatement);

function toAccounted([before, after]: JsonStatement): JsonStatement {
  const [accounts, queries] = accountQueries('completed-request', {
    areAllStored: `(select bool_and(outcome in ('inserted', 'updated')) from ended)`,
    settled: `
    select "index" - 1 as "index", outcome in ('inserted', 'updated') as "isStored"
    from ended
    where outcome in ('inserted', 'updated', 'duplicate', 'tombstoned')`,
  });
  return [before, `${after.slice(0, -end.length)},\n  ${accounts}`, `${queries}${end}`];
}

/** The kind of failure and its status; the body is in the row's response_body only. Null for a success or no end. */
function errorOf(status: string): string {
  return `case when ${status} not between 200 and 299 then
    json_build_object('type', 'NonRetriableHttpStatus', 'details', json_build_object('status', ${status}))::text end`;
}

/** The id of a request's template, the same whenever it is made. By SHA-256, since servers in FIPS mode have no MD5. */
function templateIdOf(requestId: string): string {
  return `encode(substring(sha256(convert_to('${templateSeed}' || ${requestId}, 'UTF8')) for 16), 'hex')::uuid`;
}

/** The columns are in the order in which copy.ts writes them. */
export const templateCopy = `copy sluice.request_template (id, method, path, model, body_encoding, body_byte_size, body_cut, api_key_hash,
  created_at, body) from stdin`;

export const requestCopy = `copy sluice.request (id, template_id, state, model, service_tier, created_by, daemon_id, response_status,
  response_encoding, response_size, response_cut, response_stream, response_incomplete, error, notes, created_at, claimed_at,
  started_at, completed_at, failed_at, trace_id, span_id, provider, api, input_tokens, cached_tokens, output_tokens,
  reasoning_tokens, finish_reason, tool_calls, first_token_at, facts_version, response_body) from stdin`;

/**
 * Has a row when one of the requests was deleted, or somebody's requests were since the earliest of them began. It also locks the
 * table of deletions, as `deletions` does above.
 */
export function copyVeto(ids: readonly string[], earliest: string): string {
  return `select from sluice.request_tombstone where false for key share;
  select where exists (select from sluice.request_tombstone where id = any('{${ids.join(',')}}'))
    or exists (select from sluice.creator_erasure where erased_before >= '${earliest}')`;
}
