import { Prisma } from '../../shared/platform/postgres/database.ts';
import { costOfRequest, isPriced, joinPrices, pricePeriods } from './cost.ts';
import { type RequestDimension, type RequestOrder, statusDigit } from './dimensions.ts';
import type { RequestState } from './list-requests.ts';
import type { RequestRows } from './rows.ts';

/** Requests that are alike, in one part of an answer. */
export interface RequestTally {
  /** the beginning of a bucket in ms since 1970, or the text of a key */
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

/** Requests, counted by the parts of an answer. */
export interface RequestCounts {
  tallies: RequestTally[];
  amounts: RequestAmount[];
}

/** Which groups are listed. */
export interface GroupOrder {
  by: RequestDimension;
  sort: RequestOrder;
  top: number;
}

/** The part of the groups that are not listed. No text of a key is like it. */
export const otherGroups = 'others';

/** The text of a key: after a sign, or empty where there is none. So null stays apart from an empty key, and can be joined. */
export function keyText(key: string): string {
  return `coalesce('=' || ${key}, '')`;
}

/** The key of such a text. */
export function parseKey(text: string): string | null {
  return text === '' ? null : text.slice(1);
}

/** Creators are too many to be counted in each bucket of time. */
export function isApart(groups: GroupOrder | null): boolean {
  return groups?.by === 'createdBy';
}

/**
 * CTEs: `priced` has the requests by bucket, state, status and whether they have tokens and a price, with their tokens and their cost.
 * With groups, `grouped` has the same by the text of their key, `ranked` has all of them in order, and `listed` the first, with the `raw`
 * key as well.
 */
export function countsOfRows(rows: RequestRows, groups: GroupOrder | null): Prisma.Sql {
  const { part, stretch, key } = rows.columns;
  const byKey = groups !== null && !isApart(groups);
  const keyed = `${keyText('key')} as key`;
  const counts = Prisma.sql`counts as materialized (${countedBy(rows, byKey ? { part, key } : { part })}),
    asked as (select distinct provider, model from counts),
    ${pricePeriods('asked')},
    priced as materialized (${pricedFrom('counts join parts using (part)', byKey ? `bucket, ${keyed}` : 'bucket')})`;
  if (groups === null) return counts;
  const grouped = byKey
    ? Prisma.raw('grouped as (select * from priced)')
    : Prisma.sql`key_counts as materialized (${countedBy(rows, { stretch, key })}),
    grouped as materialized (${pricedFrom('key_counts join stretches using (stretch)', keyed)})`;
  return Prisma.sql`${counts}, ${grouped},
    ranked as materialized (
      select key, row_number() over (
        order by coalesce(${measures[groups.sort]}, 0) desc, sum(n) desc, key collate "C")::int as place
      from grouped group by key
    ),
    listed as materialized (select key, case when key <> '' then substr(key, 2) end as raw, place from ranked where place <= ${groups.top}::int)`;
}

function countedBy(rows: RequestRows, parts: Record<string, Prisma.Sql>): Prisma.Sql {
  const keys = { ...parts, ...alike, kinds: rows.columns.kinds };
  const names = Prisma.raw(Object.keys(keys).join(', '));
  return Prisma.sql`select ${names}, count(*)::float8 as n, count(*) filter (where response_stream)::float8 as streams,
      sum(input_tokens) as input_tokens, sum(cached_tokens) as cached_tokens, sum(output_tokens) as output_tokens,
      sum(reasoning_tokens) as reasoning_tokens
    from ${rows.of({ ...keys, ...summed })} group by ${names}`;
}

/** Requests that have the same of it are counted together. */
const alike = {
  provider: Prisma.raw('provider'),
  model: Prisma.raw('model'),
  state: Prisma.raw('state'),
  digit: statusDigit,
};

const summed = {
  response_stream: Prisma.raw('response_stream'),
  input_tokens: Prisma.raw('input_tokens'),
  cached_tokens: Prisma.raw('cached_tokens'),
  output_tokens: Prisma.raw('output_tokens'),
  reasoning_tokens: Prisma.raw('reasoning_tokens'),
};

function pricedFrom(table: string, columns: string): Prisma.Sql {
  return Prisma.sql`select ${Prisma.raw(columns)}, state, digit, input_tokens is not null and output_tokens is not null as known,
      ${isPriced} as is_priced, n, streams, input_tokens, cached_tokens, output_tokens, reasoning_tokens, price.currency,
      ${costOfRequest} as cost
    from (select * from ${Prisma.raw(table)}) as request ${joinPrices}`;
}

const measures: Record<RequestOrder, Prisma.Sql> = {
  requests: Prisma.raw('sum(n)'),
  failures: Prisma.raw(`sum(n) filter (where state = 'failed')`),
  tokens: Prisma.raw('sum(coalesce(input_tokens, 0) + coalesce(output_tokens, 0))'),
  cost: Prisma.raw('sum(cost)'),
};

/** The columns `tallies` and `amounts`: a part is a bucket of time. */
export const countsByTime = Prisma.sql`${talliesBy(
  'tallies',
  'bucket',
  'priced',
)}, ${amountsBy('amounts', 'bucket', 'priced')}`;

const placed = `case when place is null then '${otherGroups}' else key end`;
const withPlaces = 'grouped left join listed using (key)';

/** The columns `groupTallies` and `groupAmounts`: a part is the text of a key. `keys` are those of the listed groups, in order. */
export const countsByKey = Prisma.sql`${talliesBy('groupTallies', placed, withPlaces)},
  ${amountsBy('groupAmounts', placed, withPlaces)},
  (select coalesce(json_agg(key order by place), '[]') from listed) as keys, (select count(*)::int from ranked) as groups`;

function talliesBy(name: string, part: string, table: string): Prisma.Sql {
  return Prisma.raw(`(select coalesce(json_agg(tally), '[]') from (
    select ${part} as part, state, digit, known, is_priced as priced, sum(n) as requests, sum(streams) as streams,
      coalesce(sum(n) filter (where input_tokens is not null), 0) as "inputRequests",
      coalesce(sum(n) filter (where output_tokens is not null), 0) as "outputRequests", sum(input_tokens) as input,
      sum(cached_tokens) as cached, sum(output_tokens) as output, sum(reasoning_tokens) as reasoning
    from ${table} group by 1, 2, 3, 4, 5) as tally) as "${name}"`);
}

function amountsBy(name: string, part: string, table: string): Prisma.Sql {
  return Prisma.raw(`(select coalesce(json_agg(money), '[]') from (
    select part, currency, trim_scale(sum(cost))::text as amount, sum(n) as requests
    from (select ${part} as part, currency, cost, n from ${table} where is_priced) as priced_part
    group by grouping sets ((currency), (part, currency)) order by currency) as money) as "${name}"`);
}
