import { costOf, costPlaces, type PriceRow, type SentUsage, toCents, toParts } from './price-list.ts';

/** What Sluice says of a stored request. */
export interface FoundUsage {
  createdAt: Date;
  provider: string | null;
  inputTokens: number | null;
  cachedTokens: number | null;
  outputTokens: number | null;
  reasoningTokens: number | null;
  /** an exact decimal number, as the console computes it; null: none */
  cost: { currency: string; amount: string } | null;
}

/** The tokens and the cost of a run, and whether Sluice has found the same. */
export interface UsageAccounts {
  inputTokens: number;
  outputTokens: number;
  /** to the cent, such as 12.34 USD, one for each currency */
  costs: string[];
  /** requests that have a cost */
  priced: number;
  /** requests of which Sluice says another number of tokens, another provider or another cost */
  differing: number;
}

/**
 * Compares what the gateway knows of each request with what Sluice has read out of its bodies, and the cost with one that is worked out
 * here. A request that broke off or failed says nothing of its output, so it has no cost.
 */
export function reconcileUsage(
  sent: ReadonlyMap<string, SentUsage | null>,
  found: ReadonlyMap<string, FoundUsage>,
  prices: readonly PriceRow[],
): UsageAccounts {
  const accounts: UsageAccounts = { inputTokens: 0, outputTokens: 0, costs: [], priced: 0, differing: 0 };
  const sums = new Map<string, bigint>();
  for (const [requestId, used] of sent) {
    const row = found.get(requestId);
    if (row === undefined) continue;
    if (used === null) {
      if (row.outputTokens !== null || row.cost !== null) accounts.differing += 1;
      continue;
    }
    accounts.inputTokens += used.inputTokens;
    accounts.outputTokens += used.outputTokens;
    const cost = costOf(used, row.createdAt, prices);
    const foundParts = row.cost === null ? null : toParts(row.cost.amount, costPlaces);
    if (cost !== null) {
      accounts.priced += 1;
      sums.set(cost.currency, (sums.get(cost.currency) ?? 0n) + cost.parts);
    }
    const isSameCost =
      cost === null ? foundParts === null : foundParts === cost.parts && row.cost?.currency === cost.currency;
    if (!isSameCost || !isSameUsage(used, row)) accounts.differing += 1;
  }
  return { ...accounts, costs: [...sums].map(([currency, parts]) => toCents({ currency, parts })) };
}

function isSameUsage(used: SentUsage, row: FoundUsage): boolean {
  return (
    row.provider === used.provider &&
    row.inputTokens === used.inputTokens &&
    row.outputTokens === used.outputTokens &&
    (row.cachedTokens ?? 0) === used.cachedTokens &&
    (row.reasoningTokens ?? 0) === used.reasoningTokens
  );
}
