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

/** What identifies a price: an import replaces the one that is the same in these. */
export function keyOfPrice({ source, provider, model, validFrom }: Price): string {
  return JSON.stringify([source, provider, model, validFrom.toISOString()]);
}
