import { Prisma } from '../../shared/platform/postgres/database.ts';
import type { Buckets } from '../executions/buckets.ts';
import type { Snapshot } from '../executions/snapshot.ts';
import { keyOf, type RequestDimension, statusDigit } from './dimensions.ts';
import { type RequestScope, requestsWithin } from './scope.ts';

/** How the requests of a scope are divided. */
export interface Division {
  buckets: Buckets | null;
  by: RequestDimension | null;
}

/** With so many, the narrow rows of a window fit into the memory that a statement has. */
const mostKept = 200_000;

/**
 * The CTE `request_row`: what figures need of each request, without the bodies, which make a row ten times as wide.
 *
 * As long as they fit into memory, the rows are read once and kept, for counts and for times. More of them are read once for each,
 * because PostgreSQL reads a table by several processes, but what is kept by only one.
 */
export async function requestRows(snapshot: Snapshot, scope: RequestScope, division: Division): Promise<Prisma.Sql> {
  const keeps = (await estimateRows(snapshot, scope)) <= mostKept;
  const columns = Prisma.sql`${bucketOf(division.buckets)} as bucket, ${division.by === null ? Prisma.raw('null::text') : keyOf(division.by)} as key, provider, model,
      ${await pricedAt(snapshot, scope)} as created_at, state, ${statusDigit} as digit, ${kindsOfTokens} as kinds, response_stream,
      input_tokens, cached_tokens, output_tokens, reasoning_tokens,
      case when state in ('completed', 'failed') then ${msUntil('coalesce(completed_at, failed_at)')} end as latency,
      case when state = 'completed' then ${msUntil('first_token_at')} end as first_token`;
  const from = requestsWithin(scope);
  return Prisma.sql`request_row as ${Prisma.raw(keeps ? 'materialized' : 'not materialized')} (
    select ${columns} from ${from} and ${bytesOfNames} <= ${mostBytes}
    union all select ${columns} from ${from} and ${bytesOfNames} > ${mostBytes})`;
}

/** As the two indexes have it, literally: one has all that figures need, and the other finds the few rows that would not fit into it. */
const bytesOfNames = Prisma.raw(
  '(octet_length(model) + octet_length(created_by) + coalesce(octet_length(provider), 0) + coalesce(octet_length(api), 0))',
);
const mostBytes = Prisma.raw('1500');

/** By the planner, which counts none of them. */
async function estimateRows(snapshot: Snapshot, scope: RequestScope): Promise<number> {
  const [row] = await snapshot.$queryRaw<{ 'QUERY PLAN': [{ Plan: { 'Plan Rows': number } }] }[]>(
    Prisma.sql`explain (format json) select from ${requestsWithin(scope)}`,
  );
  return row?.['QUERY PLAN'][0].Plan['Plan Rows'] ?? 0;
}

/** The beginning of a bucket of time. `date_bin` divides integers; `date_part` takes ten times as long. */
function bucketOf(buckets: Buckets | null): Prisma.Sql {
  if (buckets === null) return Prisma.raw('null::timestamptz');
  return Prisma.sql`date_bin(${`${buckets.bucketMs} ms`}::interval, created_at, ${new Date(buckets.firstMs)})`;
}

/** Whole ms since the start. */
function msUntil(end: string): Prisma.Sql {
  return Prisma.raw(`round(date_part('epoch', ${end} - started_at) * 1000)`);
}

/**
 * Which of a request's tokens are known, and of which kinds there are none. Requests that differ in it may differ in whether they have a
 * price, since a kind of which there is none needs no price.
 */
const kindsOfTokens = Prisma.raw(`case
    when cached_tokens is null and input_tokens > 0 and output_tokens > 0 then 4
    when input_tokens is null or output_tokens is null
    then (input_tokens is null)::int + 2 * (output_tokens is null)::int
    else 4 * (coalesce(cached_tokens, 0) = 0)::int + 8 * (input_tokens = coalesce(cached_tokens, 0))::int
      + 16 * (output_tokens = 0)::int end`);

/**
 * The time at which the price of a request is looked for: the beginning of the window, or the last change of any price before its
 * arrival. So requests of a model that have one price can be counted together, and what a sum of tokens costs is the sum of their costs.
 */
async function pricedAt(snapshot: Snapshot, { window: { since, until } }: RequestScope): Promise<Prisma.Sql> {
  const changes = await snapshot.$queryRaw<{ at: Date }[]>`
    select at from (select valid_from as at from sluice.price union select valid_until from sluice.price) as edges
    where at > ${since} and at < ${until} order by at`;
  if (changes.length === 0) return Prisma.sql`${since}::timestamptz`;
  const times = [since, ...changes.map(({ at }) => at)];
  return Prisma.sql`(${times}::timestamptz[])[width_bucket(created_at, ${times}::timestamptz[])]`;
}
