import { Prisma } from '../../shared/platform/postgres/database.ts';

/**
 * What requests cost, in exact numbers (numeric), computed when it is asked: a corrected price corrects the past.
 *
 * - A price counts for a request of its provider, or of any if it names none, whose model is the price's, or begins with it where
 *   it ends in `*`, and which arrived from `valid_from` until before `valid_until`.
 * - Of several, the provider's own goes before one for any, an exact model before a beginning, a longer beginning before a
 *   shorter one, the later `valid_from` before the earlier one, and what was imported last before the rest.
 * - Tokens that were read from a cache have their own price; the rest of the input has that of input. A request that says
 *   nothing of a cache has read none from it.
 * - A request is priced if it says how many tokens went in and came out, and every kind of token of which there are any has a
 *   price. What others cost is unknown, which is not nothing: count them.
 *
 * For a cost of each request:
 *
 *     with asked as (select distinct provider, model from sluice.request where …),
 *     ${pricePeriods('asked')}
 *     select price.currency, ${costOfRequest} as cost from sluice.request ${joinPrices}
 *
 * For sums, which are far cheaper when each price is multiplied once:
 *
 *     …, sums as (select price.period, ${tokenSums}, count(*) filter (where ${isUnpriced}) as unpriced
 *       from sluice.request ${joinPrices} group by price.period)
 *     select price.currency, sum(${costOfTokenSums}) as cost from sums join price_period as price using (period) group by 1
 */

/**
 * CTEs, the last of which is `price_period`: for each provider and model that is asked about, the stretches of time with one price.
 * `period` numbers them.
 *
 * @param asked the name of a CTE with the columns provider and model, each pair once
 */
export function pricePeriods(asked: string): Prisma.Sql {
  return Prisma.raw(`price_match as materialized (
    select asked.provider, asked.model, price.valid_from, price.valid_until, price.currency, price.input, price.cached_input,
      price.output, row_number() over (partition by asked.provider, asked.model order by price.provider is null,
        right(price.model, 1) = '*', length(price.model) desc, price.valid_from desc, price.imported_at desc, price.id) as rank
    from ${asked} as asked join sluice.price on (price.provider is null or price.provider = asked.provider)
      and (price.model = asked.model or (right(price.model, 1) = '*' and starts_with(asked.model, left(price.model, -1))))
  ),
  price_edge as (
    select provider, model, valid_from as edge from price_match
    union select provider, model, valid_until from price_match where valid_until is not null
  ),
  price_stretch as (
    select provider, model, edge as valid_from,
      lead(edge, 1, 'infinity') over (partition by provider, model order by edge) as valid_until
    from price_edge
  ),
  price_period as materialized (
    select row_number() over () as period, stretch.provider, stretch.model, stretch.valid_from, stretch.valid_until,
      best.currency, best.input, best.cached_input, best.output
    from price_stretch as stretch cross join lateral (
      select from_match.* from price_match as from_match
      where from_match.model = stretch.model and from_match.provider is not distinct from stretch.provider
        and from_match.valid_from <= stretch.valid_from
        and (from_match.valid_until is null or from_match.valid_until > stretch.valid_from)
      order by rank limit 1
    ) as best
  )`);
}

/** Puts the price of each request of `request` beside it, as `price`; its columns are null where there is none. */
export const joinPrices = Prisma.raw(`left join price_period as price on price.model = request.model
  and price.provider is not distinct from request.provider
  and request.created_at >= price.valid_from and request.created_at < price.valid_until`);

/** A product keeps every digit; a quotient of numerics does not. */
const perToken = '0.000001';

const cached = 'coalesce(request.cached_tokens, 0)';
const uncached = `(request.input_tokens - ${cached})`;

/** Whether a request has a price for each kind of token of which it has any. Never null. */
const priced = `(price.period is not null and request.input_tokens is not null and request.output_tokens is not null
  and (price.input is not null or ${uncached} = 0) and (price.cached_input is not null or ${cached} = 0)
  and (price.output is not null or request.output_tokens = 0))`;
export const isPriced = Prisma.raw(priced);

/**
 * Whether the cost of a request is missing from a sum: it was answered, and has no cost. A request that failed or still runs has used
 * nothing that anybody would charge for, as far as it says.
 */
export const isUnpriced = Prisma.raw(`(request.state = 'completed' and not ${priced})`);

/** What one request costs, in `price.currency`; null when it is not priced. */
export const costOfRequest = Prisma.raw(`case when ${priced} then
  (${uncached} * coalesce(price.input, 0) + ${cached} * coalesce(price.cached_input, 0)
    + request.output_tokens * coalesce(price.output, 0)) * ${perToken} end`);

/**
 * Columns for a query that is grouped by `price.period` and by whatever else: the tokens of its priced requests. `costOfTokenSums` makes
 * a cost of them.
 */
export const tokenSums = Prisma.raw(`sum(${uncached}) filter (where ${priced}) as priced_input,
  sum(${cached}) filter (where ${priced}) as priced_cached,
  sum(request.output_tokens) filter (where ${priced}) as priced_output`);

/**
 * The cost of one row of such a query, as `sums`, which `period` joins with `price_period as price`; null when none of its requests is
 * priced.
 */
export const costOfTokenSums = Prisma.raw(`(sums.priced_input * coalesce(price.input, 0)
  + sums.priced_cached * coalesce(price.cached_input, 0) + sums.priced_output * coalesce(price.output, 0)) * ${perToken}`);
