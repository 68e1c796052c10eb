import { isTooFew, z95 } from '../executions/estimates.ts';
import type { RequestAmount, RequestCounts, RequestTally } from './counts.ts';
import { type RequestState, requestStates, type StatusClass, statusClasses } from './list-requests.ts';
import type { Money } from './request-cost.ts';

/** Tokens, as far as requests say how many they have used. */
export interface RequestTokens {
  /** those from a cache included */
  input: number;
  cached: number;
  /** those of reasoning included */
  output: number;
  reasoning: number;
  /** requests that say how many went in */
  inputRequests: number;
  /** requests that say how many came out */
  outputRequests: number;
}

/** What requests cost in one currency. */
export interface CostInCurrency extends Money {
  /** the requests that it is the cost of */
  requests: number;
}

/** What requests cost, as far as that is known. */
export interface RequestCost {
  /** one for each currency */
  amounts: CostInCurrency[];
  /** completed ones whose tokens are known, but no price for them */
  withoutPrice: number;
  /** completed ones whose tokens are not known */
  withoutTokens: number;
}

/** What can be counted of requests. */
export interface CountedRequests {
  /** all that arrived, whatever became of them */
  requests: number;
  states: Record<RequestState, number>;
  /** none: no response yet, or none at all */
  statusClasses: Record<StatusClass | 'none', number>;
  streams: number;
  tokens: RequestTokens;
  cost: RequestCost;
}

/** A share of requests. All requests are stored, so it is exact; the interval says what it tells of requests to come. */
export interface Share {
  value: number | null;
  /** with 95 % confidence, more requests of this kind would have a share from `low` to `high` */
  low: number | null;
  high: number | null;
  /** the requests that it is a share of */
  rows: number;
  /** true: too few to draw conclusions from */
  tooFew: boolean;
}

/** The share of failures among the requests that have completed or failed, with Wilson's interval. */
export function toFailureShare({ states: { completed, failed } }: CountedRequests): Share {
  const rows = completed + failed;
  if (rows === 0) return { value: null, low: null, high: null, rows, tooFew: true };
  const value = failed / rows;
  const z2 = z95 ** 2;
  const middle = (value + z2 / (2 * rows)) / (1 + z2 / rows);
  const half = (z95 / (1 + z2 / rows)) * Math.sqrt((value * (1 - value)) / rows + z2 / (4 * rows ** 2));
  // Rounding may carry it beyond what it is about.
  const low = failed === 0 ? 0 : Math.max(0, middle - half);
  const high = completed === 0 ? 1 : Math.min(1, middle + half);
  return { value, low, high, rows, tooFew: isTooFew(rows) };
}

/** The counts of a part of an answer; null: of all its parts together. */
export function toCounted({ tallies, amounts }: RequestCounts, part: string | null): CountedRequests {
  const mine = part === null ? tallies : tallies.filter((tally) => tally.part === part);
  return toCountedOf(
    mine,
    amounts.filter((amount) => amount.part === part),
  );
}

/** The counts of each part. */
export function toCountedByPart({ tallies, amounts }: RequestCounts): Map<string, CountedRequests> {
  const parts = Map.groupBy(tallies, ({ part }) => part);
  const costs = Map.groupBy(amounts, ({ part }) => part);
  return new Map([...parts].map(([part, mine]) => [part, toCountedOf(mine, costs.get(part) ?? [])]));
}

export const nothingCounted: CountedRequests = toCountedOf([], []);

function toCountedOf(tallies: readonly RequestTally[], amounts: readonly RequestAmount[]): CountedRequests {
  const sumOf = (of: (tally: RequestTally) => number): number => tallies.reduce((sum, tally) => sum + of(tally), 0);
  const countOf = (is: (tally: RequestTally) => boolean): number => sumOf((tally) => (is(tally) ? tally.requests : 0));
  return {
    requests: sumOf(({ requests }) => requests),
    states: byName(requestStates, (name) => countOf(({ state }) => state === name)),
    statusClasses: byName([...statusClasses, 'none'], (name) =>
      countOf(({ digit }) => (digit === null ? 'none' : `${digit}xx`) === name),
    ),
    streams: sumOf(({ streams }) => streams),
    tokens: {
      input: sumOf(({ input }) => input ?? 0),
      cached: sumOf(({ cached }) => cached ?? 0),
      output: sumOf(({ output }) => output ?? 0),
      reasoning: sumOf(({ reasoning }) => reasoning ?? 0),
      inputRequests: sumOf(({ inputRequests }) => inputRequests),
      outputRequests: sumOf(({ outputRequests }) => outputRequests),
    },
    cost: {
      amounts: amounts.map(({ currency, amount, requests }) => ({ currency, amount, requests })),
      withoutPrice: countOf(({ state, known, priced }) => state === 'completed' && known && !priced),
      withoutTokens: countOf(({ state, known }) => state === 'completed' && !known),
    },
  };
}

function byName<Name extends string>(names: readonly Name[], count: (name: Name) => number): Record<Name, number> {
  return Object.fromEntries(names.map((name) => [name, count(name)])) as Record<Name, number>;
}
