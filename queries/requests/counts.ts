import { Prisma } from '../../shared/platform/postgres/database.ts';
import type { Buckets } from '../executions/buckets.ts';
import type { Snapshot } from '../executions/snapshot.ts';
import { costOfRequest, isPriced, joinPrices, pricePeriods } from './cost.ts';
import { keyOf, type RequestDimension, type RequestOrder, statusDigit } from './dimensions.ts';
import type { RequestState } from './list-requests.ts';
import { type RequestScope, requestsWithin } from './scope.ts';

/** Requests that are alike, in one part of an answer. */
export interface RequestTally {
  part: string;
  state: RequestState;
  /** of the status; null without one */
  digit: number | null;
  /** whether it is known how many tokens went in and came out */
  known: boolean;
  priced: boolean;
  requests: number;
  streams: number;
  /** that say how many tokens went in, and how many came out */
  inputRequests: number;
  outputRequests: number;
  input: number | null;
  cached: number | null;
  output: number | null;
  reasoning: number | null;
}

/** What the priced requests of a part cost, in one currency. */
export interface RequestAmount {
  /** null: of all parts together */
  part: string | null;
  currency: string;
  /** an exact decimal number */
  amount: string;
  requests: number;
}

/** The requests of a scope, counted by the parts of an answer. */
export interface RequestCounts {
  tallies: RequestTally[];
  amounts: RequestAmount[];
}

/** What a request belongs to: an expression over the table, and its text over the groups, which has it as `part`. */
interface Part {
  of: Prisma.Sql;
  text: Prisma.Sql;
}

const noPart: Part = { of: Prisma.raw('null::text'), text: Prisma.raw(`''`) };

/** The beginning of a bucket of time, by the arrival. `date_bin` divides integers; `date_part` takes ten times as long. */
export function bucketOf({ bucketMs, firstMs }: Buckets): Prisma.Sql {
  return Prisma.sql`date_bin(${`${bucketMs} ms`}::interval, created_at, ${new Date(firstMs)})`;
}

/**
 * Counts by buckets of time; all in one part without them.
 *
 * @returns parts are ms since 1970, or empty
 */
export async function countByTime(
  snapshot: Snapshot,
  scope: RequestScope,
  buckets: Buckets | null,
): Promise<RequestCounts> {
  const part =
    buckets === null
      ? noPart
      : { of: bucketOf(buckets), text: Prisma.raw('(extract(epoch from part) * 1000)::bigint::text') };
  const statement = Prisma.sql`with ${await pricedCounts(snapshot, scope, part)},
    parted as (select * from priced)
    select ${talliesAndAmounts}`;
  const [row] = await snapshot.$queryRaw<[RequestCounts]>(statement);
  return row;
}

/** The counts of the listed groups, and of all others together. */
export interface GroupCounts extends RequestCounts {
  /** of the listed groups, in order: their part, and their key */
  keys: { part: string; key: string | null }[];
  /** how many groups there are, listed or not */
  groups: number;
}

/** The part of the groups that are not listed. */
export const otherGroups = 'others';

const measures: Record<RequestOrder, Prisma.Sql> = {
  requests: Prisma.raw('sum(n)'),
  failures: Prisma.raw(`sum(n) filter (where state = 'failed')`),
  tokens: Prisma.raw('sum(coalesce(input_tokens, 0) + coalesce(output_tokens, 0))'),
  cost: Prisma.raw('sum(cost)'),
};

/** Counts by a dimension, the greatest groups by themselves. Of several currencies, the amounts are added up for the order. */
export async function countByKey(
  snapshot: Snapshot,
  scope: RequestScope,
  { by, sort, top }: { by: RequestDimension; sort: RequestOrder; top: number },
): Promise<GroupCounts> {
  // No text of PostgreSQL is both empty and begins with a sign: so null stays apart from an empty key.
  const part: Part = { of: keyOf(by), text: Prisma.raw(`coalesce('=' || part, '')`) };
  const statement = Prisma.sql`with ${await pricedCounts(snapshot, scope, part)},
    ranked as materialized (
      select part, row_number() over (
        order by coalesce(${measures[sort]}, 0) desc, sum(n) desc, part collate "C")::int as place
      from priced group by part
    ),
    parted as (
      select case when place <= ${top}::int then part else ${otherGroups} end as part, state, digit, known, is_priced, n, streams,
        input_tokens, cached_tokens, output_tokens, reasoning_tokens, currency, cost
      from priced join ranked using (part)
    )
    select ${talliesAndAmounts},
      (select coalesce(json_agg(part order by place), '[]') from ranked where place <= ${top}::int) as parts,
      (select count(*)::int from ranked) as groups`;
  const [{ parts, ...row }] =
    await snapshot.$queryRaw<[RequestCounts & { parts: string[]; groups: number }]>(statement);
  return { ...row, keys: parts.map((text) => ({ part: text, key: text === '' ? null : text.slice(1) })) };
}

/**
 * CTEs, the last of which is `priced`: the requests grouped by their part, state, status and whether they have tokens and a price, with
 * their tokens and cost.
 *
 * Prices are looked for once for all requests of a model between two changes of any price: what a sum of tokens costs is the sum of
 * what they cost. For that, requests are also kept apart by which kinds of tokens they have, since a kind of which there is none needs
 * no price.
 */
async function pricedCounts(snapshot: Snapshot, scope: RequestScope, part: Part): Promise<Prisma.Sql> {
  const since = await priceChanges(snapshot, scope);
  // As `created_at`: the time at which the price is looked for.
  const pricedAt =
    since.length === 1
      ? Prisma.sql`${since[0]}::timestamptz`
      : Prisma.sql`(${since}::timestamptz[])[width_bucket(created_at, ${since}::timestamptz[])]`;
  return Prisma.sql`counts as materialized (
      select part, provider, model, created_at, state, digit, kinds, count(*)::float8 as n,
        count(*) filter (where response_stream)::float8 as streams, sum(input_tokens) as input_tokens,
        sum(cached_tokens) as cached_tokens, sum(output_tokens) as output_tokens, sum(reasoning_tokens) as reasoning_tokens
      from (
        select ${part.of} as part, provider, model, ${pricedAt} as created_at, state, ${statusDigit} as digit, ${kindsOfTokens} as kinds,
          response_stream, input_tokens, cached_tokens, output_tokens, reasoning_tokens
        from ${requestsWithin(scope)}
      ) as request
      group by part, provider, model, created_at, state, digit, kinds
    ),
    asked as (select distinct provider, model from counts),
    ${pricePeriods('asked')},
    priced as materialized (
      select ${part.text} as part, state, digit, input_tokens is not null and output_tokens is not null as known,
        ${isPriced} as is_priced, n, streams, input_tokens, cached_tokens, output_tokens, reasoning_tokens,
        price.currency, ${costOfRequest} as cost
      from counts as request ${joinPrices}
    )`;
}

/** Which of a request's tokens are known, and of which kinds there are none. */
const kindsOfTokens = Prisma.raw(`case when input_tokens is null or output_tokens is null
    then (input_tokens is null)::int + 2 * (output_tokens is null)::int
    else 4 * (coalesce(cached_tokens, 0) = 0)::int + 8 * (input_tokens = coalesce(cached_tokens, 0))::int
      + 16 * (output_tokens = 0)::int end`);

/** The beginning of the window, and the times within it at which any price begins or ends. */
async function priceChanges(snapshot: Snapshot, { window: { since, until } }: RequestScope): Promise<Date[]> {
  const changes = await snapshot.$queryRaw<{ at: Date }[]>`
    select at from (select valid_from as at from sluice.price union select valid_until from sluice.price) as edges
    where at > ${since} and at < ${until} order by at`;
  return [since, ...changes.map(({ at }) => at)];
}

const talliesAndAmounts = Prisma.raw(`
  (select coalesce(json_agg(tally), '[]') from (
    select part, state, digit, known, is_priced as priced, sum(n) as requests, sum(streams) as streams,
      coalesce(sum(n) filter (where input_tokens is not null), 0) as "inputRequests",
      coalesce(sum(n) filter (where output_tokens is not null), 0) as "outputRequests", sum(input_tokens) as input,
      sum(cached_tokens) as cached, sum(output_tokens) as output, sum(reasoning_tokens) as reasoning
    from parted group by 1, 2, 3, 4, 5) as tally) as tallies,
  (select coalesce(json_agg(money), '[]') from (
    select part, currency, trim_scale(sum(cost))::text as amount, sum(n) as requests
    from parted where is_priced group by grouping sets ((currency), (part, currency)) order by currency) as money) as amounts`);
