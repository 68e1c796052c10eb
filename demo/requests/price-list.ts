import type { StoredPrice } from '../../queries/requests/list-prices.ts';

/** What a model has said that a request used, as the demo's gateway knows it before any body is written. */
export interface SentUsage {
  provider: string;
  model: string;
  inputTokens: number;
  cachedTokens: number;
  outputTokens: number;
  reasoningTokens: number;
}

export type PriceRow = Omit<StoredPrice, 'source'>;

/** An exact amount: so many parts of 10^-16. */
export interface ExactCost {
  currency: string;
  parts: bigint;
}

/** The decimal places of a price, and those of a millionth of it. */
const pricePlaces = 10;
export const costPlaces = pricePlaces + 6;

/**
 * What a request cost, by the rules of docs/requests.md, worked out apart from the statement that the console asks; null: some of what it
 * used has no price.
 *
 * @param at when it arrived
 */
export function costOf(used: SentUsage, at: Date, prices: readonly PriceRow[]): ExactCost | null {
  const [price] = prices
    .filter(({ provider, model }) => (provider === null || provider === used.provider) && isOf(model, used.model))
    .filter(({ validFrom, validUntil }) => validFrom <= at && (validUntil === null || at < validUntil))
    .toSorted(
      (a, b) =>
        Number(a.provider === null) - Number(b.provider === null) ||
        Number(a.model.endsWith('*')) - Number(b.model.endsWith('*')) ||
        b.model.length - a.model.length ||
        b.validFrom.getTime() - a.validFrom.getTime() ||
        b.importedAt.getTime() - a.importedAt.getTime(),
    );
  if (price === undefined) return null;
  const kinds: [number, string | null][] = [
    [used.inputTokens - used.cachedTokens, price.input],
    [used.cachedTokens, price.cachedInput],
    [used.outputTokens, price.output],
  ];
  if (kinds.some(([tokens, each]) => tokens > 0 && each === null)) return null;
  const parts = kinds.reduce((sum, [tokens, each]) => sum + BigInt(tokens) * toParts(each ?? '0', pricePlaces), 0n);
  return { currency: price.currency, parts };
}

function isOf(pattern: string, model: string): boolean {
  return pattern.endsWith('*') ? model.startsWith(pattern.slice(0, -1)) : pattern === model;
}

/** A decimal number as a whole number of its smallest parts. @throws RangeError if it has more places */
export function toParts(decimal: string, places: number): bigint {
  const [whole = '0', fraction = ''] = decimal.split('.');
  if (/[1-9]/.test(fraction.slice(places))) throw new RangeError(`${decimal} has more than ${places} places`);
  return BigInt(whole + fraction.slice(0, places).padEnd(places, '0'));
}

/** An amount to the cent, for people. */
export function toCents({ currency, parts }: ExactCost): string {
  const cents = (parts + 5n * 10n ** BigInt(costPlaces - 3)) / 10n ** BigInt(costPlaces - 2);
  const text = String(cents).padStart(3, '0');
  return `${text.slice(0, -2)}.${text.slice(-2)} ${currency}`;
}
