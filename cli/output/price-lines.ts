import type { StoredPrice } from '../../queries/requests/list-prices.ts';
import { none } from './figures.ts';
import type { Line } from './line.ts';
import { toTable } from './table.ts';

/** Prices as a table. */
export function toPriceTable(prices: readonly StoredPrice[], terminal: { columns: number | null }): Line[] {
  return toTable(
    [
      { title: 'model', cell: ({ model }) => model, min: 8 },
      { title: 'provider', cell: ({ provider }) => provider ?? 'any', min: 6 },
      { title: 'from', cell: ({ validFrom }) => toDay(validFrom) },
      { title: 'until', cell: ({ validUntil }) => (validUntil === null ? none : toDay(validUntil)) },
      { title: 'input', cell: ({ input }) => input ?? none, align: 'right' },
      { title: 'cached', cell: ({ cachedInput }) => cachedInput ?? none, align: 'right' },
      { title: 'output', cell: ({ output }) => output ?? none, align: 'right' },
      { title: '', cell: ({ currency }) => currency },
      { title: 'source', cell: ({ source }) => source, min: 8, optional: true },
    ],
    prices,
    terminal,
  );
}

/** A day, or the time where it does not begin at midnight in UTC. */
function toDay(at: Date): string {
  return at.toISOString().replace('T00:00:00.000Z', '');
}
