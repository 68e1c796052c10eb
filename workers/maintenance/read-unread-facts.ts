import { readFacts } from '../../shared/facts/read-facts.ts';
import { factsVersion } from '../../shared/facts/request-facts.ts';
import {
  type Database,
  executeWithJson,
  type JsonStatement,
  queryTexts,
  withJsonTransaction,
} from '../../shared/platform/postgres/database.ts';

/** The last request that was looked at, in the order of the index. */
export interface Place {
  createdAt: string;
  id: string;
}

/** Requests that are looked at together, and about the bytes of their bodies: larger ones are for the next batch. */
const batchRows = 500;
const batchBytes = 8 * 1_024 * 1_024;

/** Who holds a row longer than that is passed by: it is read in the next run. */
const lockTimeoutMs = 1_000;

/**
 * Reads the bodies of a batch of requests that no worker has read, and stores what they say, in one transaction: an erasure
 * of what was read waits for it. Rows that somebody holds are left out.
 *
 * @param after where the batch before it ended; null: at the newest request
 * @returns how many were read, and where it ended; null: there are no others
 * @throws what the database says; then nothing is stored
 */
export async function readUnreadFacts(
  database: Database,
  after: Place | null,
): Promise<{ read: number; last: Place | null }> {
  const place = after ?? { createdAt: 'infinity', id: 'ffffffff-ffff-ffff-ffff-ffffffffffff' };
  return withJsonTransaction(database, { lockTimeoutMs, commits: true }, async (transaction) => {
    const found = await queryTexts(transaction, unreadQuery, [place.createdAt, place.id]);
    const [id, createdAt] = found.at(-1) ?? [];
    if (id == null || createdAt == null) return { read: 0, last: null };
    const rows = found.filter(([, , isHeld]) => isHeld === 'true').map(toFacts);
    if (rows.length > 0) await executeWithJson(transaction, storeStatement, JSON.stringify(rows));
    return { read: rows.length, last: { createdAt, id } };
  });
}

/**
 * By the index of unread requests. Rows are looked at until their bodies have enough bytes, at least one; of those the free ones are
 * held, and their bodies are read. The body of a question matters only where a span was made into a request.
 */
const unreadQuery = `with unread as materialized (
    select id, created_at, response_size from sluice.request
    where facts_version is null and state in ('completed', 'failed', 'canceled') and (created_at, id) < ($1::timestamptz, $2::uuid)
    order by created_at desc, id desc limit ${batchRows}
  ),
  batch as materialized (
    select id, created_at from (
      select unread.*, sum(response_size) over (order by created_at desc, id desc) - response_size as before from unread
    ) as counted
    where before < ${batchBytes}
  ),
  held as materialized (
    select request.id from sluice.request join batch on batch.id = request.id
    where facts_version is null order by request.id for no key update of request skip locked
  )
  select batch.id::text, to_json(batch.created_at)#>>'{}', (held.id is not null)::text, asked.path, request.model,
    coalesce(request.response_status, 0)::text, request.provider,
    case when request.response_encoding = 'utf8' then request.response_body end,
    case when asked.body_encoding = 'utf8' and asked.path like 'gen\\_ai/%' then asked.body end
  from batch
  left join held on held.id = batch.id
  left join sluice.request on request.id = held.id
  left join sluice.request_template as asked on asked.id = request.template_id
  order by batch.created_at desc, batch.id desc`;

type Row = readonly (string | null)[];

function toFacts([id, , , endpoint, model, status, provider, response, request]: Row): object {
  const facts = readFacts({
    endpoint: endpoint ?? '',
    model: model ?? '',
    statusCode: Number(status),
    provider: provider ?? null,
    request: request == null ? null : { text: request, isEscaped: false },
    response: response == null ? null : { text: response, isEscaped: false },
  });
  return { id, ...facts, factsVersion };
}

const storeStatement: JsonStatement = [
  `update sluice.request set provider = facts.provider, api = facts.api, input_tokens = "inputTokens",
    cached_tokens = "cachedTokens", output_tokens = "outputTokens", reasoning_tokens = "reasoningTokens",
    finish_reason = "finishReason", tool_calls = "toolCalls", facts_version = "factsVersion"
  from json_to_recordset(`,
  `::json) as facts (id uuid, provider text, api text, "inputTokens" bigint, "cachedTokens" bigint, "outputTokens" bigint,
    "reasoningTokens" bigint, "finishReason" text, "toolCalls" integer, "factsVersion" smallint)
  where request.id = facts.id`,
];
