import fc from 'fast-check';
import { expect, test } from 'vitest';
import { costOf, type PriceRow, type SentUsage, toCents, toParts } from '../../../demo/requests/price-list.ts';
import { type FoundUsage, reconcileUsage } from '../../../demo/requests/reconcile-usage.ts';

const at = new Date('2026-03-01T12:00:00Z');
const price = (changes: Partial<PriceRow> = {}): PriceRow => ({
  provider: null,
  model: 'm-1',
  validFrom: new Date('2026-01-01'),
  validUntil: null,
  currency: 'USD',
  input: '1.25',
  cachedInput: '0.125',
  output: '10',
  importedAt: new Date('2026-01-01'),
  ...changes,
});
const used: SentUsage = {
  provider: 'p',
  model: 'm-1',
  inputTokens: 1_000,
  cachedTokens: 400,
  outputTokens: 500,
  reasoningTokens: 100,
};
const found = (changes: Partial<FoundUsage> = {}): FoundUsage => ({
  createdAt: at,
  provider: 'p',
  inputTokens: 1_000,
  cachedTokens: 400,
  outputTokens: 500,
  reasoningTokens: 100,
  cost: { currency: 'USD', amount: '0.0058' },
  ...changes,
});

test('usage: what Sluice says of each request is compared with what the gateway knows, to the last digit', () => {
  const sent = new Map([['a', used]]);
  expect(reconcileUsage(sent, new Map([['a', found()]]), [price()])).toEqual({
    inputTokens: 1_000,
    outputTokens: 500,
    costs: ['0.01 USD'],
    priced: 1,
    differing: 0,
  });
  const others: Partial<FoundUsage>[] = [
    { inputTokens: 999 },
    { cachedTokens: null },
    { outputTokens: null },
    { reasoningTokens: 99 },
    { provider: 'q' },
    { cost: null },
    { cost: { currency: 'EUR', amount: '0.0058' } },
    { cost: { currency: 'USD', amount: '0.0058000000000001' } },
  ];
  for (const other of others) {
    expect([other, reconcileUsage(sent, new Map([['a', found(other)]]), [price()]).differing]).toEqual([other, 1]);
  }
});

test('usage: a request that says nothing must have no output and no cost', () => {
  const sent = new Map([['a', null]]);
  const nothing = { inputTokens: 5, outputTokens: null, cost: null };
  expect(reconcileUsage(sent, new Map([['a', found(nothing)]]), [price()]).differing).toBe(0);
  expect(reconcileUsage(sent, new Map([['a', found()]]), [price()]).differing).toBe(1);
  expect(reconcileUsage(sent, new Map(), [price()]).differing).toBe(0);
});

test.each<[string, PriceRow[], string | null]>([
  ['one that is over', [price({ validUntil: at })], null],
  ['one that is still to come', [price({ validFrom: new Date(at.getTime() + 1) })], null],
  ['another provider’s', [price({ provider: 'q' })], null],
  ['one without a price for what was used', [price({ cachedInput: null })], null],
  ['the provider’s own before one for any', [price(), price({ provider: 'p', model: 'm*', currency: 'EUR' })], 'EUR'],
  ['an exact name before a beginning', [price({ model: 'm-*' }), price({ currency: 'EUR' })], 'EUR'],
  [
    'a longer beginning before a shorter one',
    [price({ model: 'm*' }), price({ model: 'm-*', currency: 'EUR' })],
    'EUR',
  ],
  ['the later one of two', [price(), price({ validFrom: new Date('2026-02-01'), currency: 'EUR' })], 'EUR'],
  ['the last import of two', [price(), price({ importedAt: new Date('2026-02-01'), currency: 'EUR' })], 'EUR'],
])('usage: of the prices, %s', (_, prices, currency) => {
  expect(costOf(used, at, prices)?.currency ?? null).toBe(currency);
  expect(costOf(used, at, prices.toReversed())?.currency ?? null).toBe(currency);
});

test('usage: amounts are exact, and cents are rounded once, at the end', () => {
  expect(toParts('0.0000000001', 10)).toBe(1n);
  expect(() => toParts('0.00000000001', 10)).toThrow(RangeError);
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 30n }), (parts) => {
      const cents = toCents({ currency: 'USD', parts });
      const back = toParts(cents.replace(' USD', ''), 16);
      const off = back > parts ? back - parts : parts - back;
      expect(off <= 5n * 10n ** 13n).toBe(true);
    }),
  );
});
