import type { Database } from '../../shared/platform/postgres/database.ts';
import { costOfRequest, joinPrices, pricePeriods } from './cost.ts';

/** An amount of money: an exact decimal number as text, such as 0.00125, in a currency of ISO 4217. */
export interface Money {
  currency: string;
  amount: string;
}

/** What a request cost, by the prices of its time; null if it has no tokens or no price. */
export async function findCost(database: Database, id: string): Promise<Money | null> {
  const [found] = await database.$queryRaw<{ currency: string | null; amount: string | null }[]>`
    with asked as (select provider, model from sluice.request where id = ${id}::uuid), ${pricePeriods('asked')},
    priced as (
      select price.currency, trim_scale(${costOfRequest})::text as amount from sluice.request ${joinPrices} where request.id = ${id}::uuid
    )
    select currency, amount from priced`;
  const { currency = null, amount = null } = found ?? {};
  return currency === null || amount === null ? null : { currency, amount };
}
