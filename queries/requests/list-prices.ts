import { type Database, Prisma } from '../../shared/platform/postgres/database.ts';

/** What a million tokens of a model cost, see docs/requests.md. Amounts are decimal digits, so that none is rounded. */
export interface Price {
  /** null: whoever serves the model */
  provider: string | null;
  /** a model's name, or the beginning of names, which ends in `*` */
  model: string;
  validFrom: Date;
  /** exclusive; null: until further notice */
  validUntil: Date | null;
  /** ISO 4217 */
  currency: string;
  /** null: not known */
  input: string | null;
  cachedInput: string | null;
  output: string | null;
  /** where the price is from */
  source: string;
}

export interface StoredPrice extends Price {
  importedAt: Date;
}

/**
 * Prices by model, provider and time.
 *
 * @param model only those that count for it, as `cost.ts` says, the one that goes before all others first. Null: all
 */
export function listPrices(database: Database, model: string | null): Promise<StoredPrice[]> {
  const isAsked =
    model === null
      ? Prisma.sql`true`
      : Prisma.sql`(model = ${model} or (right(model, 1) = '*' and starts_with(${model}, left(model, -1))))`;
  const order =
    model === null
      ? Prisma.sql`model, provider nulls first, valid_from, source`
      : Prisma.sql`provider is null, provider, right(model, 1) = '*', length(model) desc, valid_from desc, imported_at desc, id`;
  return database.$queryRaw<StoredPrice[]>(Prisma.sql`
    select provider, model, valid_from as "validFrom", valid_until as "validUntil", currency,
      trim_scale(input)::text as input, trim_scale(cached_input)::text as "cachedInput", trim_scale(output)::text as output,
      source, imported_at as "importedAt"
    from sluice.price where ${isAsked} order by ${order}`);
}
