import type { Price } from '../../queries/requests/list-prices.ts';
import { type Database, Prisma } from '../../shared/platform/postgres/database.ts';

/** What an import did. */
export interface StoredPrices {
  added: number;
  changed: number;
  unchanged: number;
  removed: number;
}

const lockTimeoutMs = 3_000;
const timeoutMs = 120_000;

/**
 * Stores prices, all or none. Each takes the place of the one of the same source, provider, model and beginning, so repeating it changes
 * nothing.
 *
 * @param options.replace remove all other prices of the sources that are given
 * @throws what the database says; then nothing is stored
 */
export function storePrices(
  database: Database,
  prices: readonly Price[],
  { replace }: { replace: boolean },
): Promise<StoredPrices> {
  const given = Prisma.sql`
    select * from json_to_recordset(${JSON.stringify(prices)}::json) as given (provider text, model text, "validFrom" timestamptz,
      "validUntil" timestamptz, currency text, input numeric, "cachedInput" numeric, output numeric, source text)`;
  return database.$transaction(
    async (transaction) => {
      await transaction.$executeRaw`select set_config('lock_timeout', ${String(lockTimeoutMs)}, true)`;
      // Two imports at once follow one another; reads go on.
      await transaction.$executeRaw`lock table sluice.price in share row exclusive mode`;
      const removed = replace
        ? await transaction.$executeRaw(Prisma.sql`
            with given as materialized (${given})
            delete from sluice.price as old where source in (select source from given) and not exists (
              select from given where given.source = old.source and given.provider is not distinct from old.provider
                and given.model = old.model and given."validFrom" = old.valid_from)`)
        : 0;
      const [counts] = await transaction.$queryRaw<Omit<StoredPrices, 'removed'>[]>(Prisma.sql`
        with given as materialized (${given}),
        compared as materialized (
          select given.*, old.id as old_id, (old.valid_until, old.currency, old.input, old.cached_input, old.output)
            is distinct from (given."validUntil", given.currency, given.input, given."cachedInput", given.output) as is_other
          from given left join sluice.price as old on old.source = given.source
            and old.provider is not distinct from given.provider and old.model = given.model
            and old.valid_from = given."validFrom"
        ),
        changed as (
          update sluice.price as old set valid_until = compared."validUntil", currency = compared.currency,
            input = compared.input, cached_input = compared."cachedInput", output = compared.output, imported_at = now()
          from compared where old.id = compared.old_id and is_other returning 1
        ),
        added as (
          insert into sluice.price (provider, model, valid_from, valid_until, currency, input, cached_input, output, source)
          select provider, model, "validFrom", "validUntil", currency, input, "cachedInput", output, source
          from compared where old_id is null returning 1
        )
        select (select count(*) from added)::int as added, (select count(*) from changed)::int as changed,
          (count(*) filter (where old_id is not null and not is_other))::int as unchanged
        from compared`);
      return { added: 0, changed: 0, unchanged: 0, ...counts, removed };
    },
    { timeout: timeoutMs },
  );
}
