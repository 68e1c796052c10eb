import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { storePrices } from '../../../cli/prices/store-prices.ts';
import {
  costOfRequest,
  costOfTokenSums,
  isUnpriced,
  joinPrices,
  pricePeriods,
  tokenSums,
} from '../../../queries/requests/cost.ts';
import { listPrices, type Price } from '../../../queries/requests/list-prices.ts';
import { Prisma } from '../../../shared/platform/postgres/database.ts';
import { aCompletion, aRequestStore } from '../../support/requests.ts';

const aPrice = (overrides: Partial<Price> = {}): Price => ({
  provider: null,
  model: 'm',
  validFrom: new Date('2026-01-01T00:00:00Z'),
  validUntil: null,
  currency: 'USD',
  input: '1',
  cachedInput: '0.1',
  output: '10',
  source: 'test',
  ...overrides,
});

interface Asked {
  model?: string;
  provider?: string;
  at?: string;
  input?: number | null;
  cached?: number | null;
  output?: number | null;
}

async function setUp(prices: readonly Price[]) {
  const place = await aRequestStore();
  await storePrices(place.database, prices, { replace: false });
  const { reader } = place;
  const asked = Prisma.sql`with asked as (select distinct provider, model from sluice.request), ${pricePeriods('asked')}`;
  return {
    ...place,
    async add({
      model = 'm',
      provider,
      at = '2026-02-01T00:00:00.000Z',
      input = 1_000_000,
      cached = 0,
      output = 0,
    }: Asked) {
      const requestId = randomUUID();
      const usage = {
        prompt_tokens: input,
        completion_tokens: output,
        prompt_tokens_details: { cached_tokens: cached },
      };
      const responseBody = JSON.stringify({ object: 'chat.completion', choices: [], usage });
      const outcomes = await place.store([
        aCompletion({ requestId, model, startedAt: at, completedAt: at, responseBody, ...(provider && { provider }) }),
      ]);
      expect(outcomes).toEqual(['inserted']);
      return requestId;
    },
    async costs(): Promise<Record<string, string | null>> {
      const rows = await reader.$queryRaw<{ id: string; cost: string | null }[]>(Prisma.sql`${asked}
        select id::text, trim_scale(${costOfRequest})::text as cost from sluice.request ${joinPrices}`);
      return Object.fromEntries(rows.map(({ id, cost }) => [id, cost]));
    },
    sums: () =>
      reader.$queryRaw<{ currency: string | null; cost: string | null; unpriced: number }[]>(Prisma.sql`${asked},
        sums as (
          select price.period, ${tokenSums}, (count(*) filter (where ${isUnpriced}))::int as unpriced
          from sluice.request ${joinPrices} group by price.period)
        select price.currency, trim_scale(sum(${costOfTokenSums}))::text as cost, sum(unpriced)::int as unpriced
        from sums left join price_period as price using (period) group by price.currency order by price.currency`),
  };
}

/** The cost of one request by these prices. */
async function costOf(prices: readonly Price[], asked: Asked): Promise<string | null | undefined> {
  const { add, costs } = await setUp(prices);
  const id = await add(asked);
  return (await costs())[id];
}

test('cost: each kind of token has its price, and no digit is lost', async () => {
  const prices = [aPrice({ input: '0.0000000001', cachedInput: '3.3333333333', output: '9999999999.9999999999' })];
  // 2 · 0.0000000001 + 3.3333333333 + 7 · 9999999999.9999999999, by a million
  expect(await costOf(prices, { input: 3, cached: 1, output: 7 })).toBe('70000.0000033333333328');
});

test('cost: the provider goes before the pattern, a whole name before a beginning, a longer beginning before a shorter one', async () => {
  const own = aPrice({ provider: 'p', model: '*', input: '1' });
  const exact = aPrice({ model: 'gpt-4o', input: '2' });
  const longer = aPrice({ model: 'gpt-4*', input: '3' });
  const shorter = aPrice({ model: 'gpt*', input: '4' });
  const all = [shorter, exact, longer, own];
  expect(await costOf(all, { model: 'gpt-4o', provider: 'p' })).toBe('1');
  expect(await costOf(all, { model: 'gpt-4o', provider: 'q' })).toBe('2');
  expect(await costOf(all, { model: 'gpt-4o' })).toBe('2');
  expect(await costOf(all, { model: 'gpt-4o-mini' })).toBe('3');
  expect(await costOf(all, { model: 'gpt-3.5' })).toBe('4');
  expect(await costOf(all, { model: 'other' })).toBeNull();
  // A star counts at the end only, and nothing else is a pattern.
  expect(await costOf([aPrice({ model: 'g_t%' })], { model: 'gpt%' })).toBeNull();
});

test('cost: the price of the time of arrival counts, from its beginning until before its end', async () => {
  const first = aPrice({ validUntil: new Date('2026-02-01T00:00:00Z'), input: '1' });
  const second = aPrice({ validFrom: new Date('2026-03-01T00:00:00Z'), input: '2' });
  const corrected = aPrice({ validFrom: new Date('2026-04-01T00:00:00Z'), input: '3' });
  const { add, costs } = await setUp([first, second, corrected]);
  const at = async (time: string) => add({ at: time });
  const ids = {
    before: await at('2025-12-31T23:59:59.999Z'),
    begin: await at('2026-01-01T00:00:00.000Z'),
    last: await at('2026-01-31T23:59:59.999Z'),
    gap: await at('2026-02-01T00:00:00.000Z'),
    second: await at('2026-03-31T23:59:59.999Z'),
    third: await at('2026-04-01T00:00:00.000Z'),
  };
  const found = await costs();
  expect(Object.fromEntries(Object.entries(ids).map(([name, id]) => [name, found[id]]))).toEqual({
    before: null,
    begin: '1',
    last: '1',
    gap: null,
    second: '2',
    third: '3',
  });
});

test('cost: a kind of token that has no price makes it unknown where there is any of it, and so does a number that is not told', async () => {
  const prices = [aPrice({ cachedInput: null, output: null })];
  expect(await costOf(prices, { input: 2_000_000 })).toBe('2');
  expect(await costOf(prices, { input: 2_000_000, cached: null })).toBe('2');
  expect(await costOf(prices, { cached: 1 })).toBeNull();
  expect(await costOf(prices, { output: 1 })).toBeNull();
  expect(await costOf(prices, { input: null })).toBeNull();
  expect(await costOf([aPrice()], { output: null })).toBeNull();
});

test('cost: sums by stretches of time are the sum of the requests, by currency, and count what has no price', async () => {
  const prices = [
    aPrice({ input: '0.15', cachedInput: '0.075', output: '0.6', validUntil: new Date('2026-02-01T00:00:00Z') }),
    aPrice({ input: '0.3', cachedInput: '0.01', output: '0.7', validFrom: new Date('2026-02-01T00:00:00Z') }),
    aPrice({ model: 'e*', currency: 'EUR', input: '7', cachedInput: '7', output: '7' }),
  ];
  const { add, costs, sums } = await setUp(prices);
  for (let index = 1; index <= 20; index += 1) {
    await add({
      model: ['m', 'e-1', 'x'][index % 3] as string,
      at: `2026-0${1 + (index % 2)}-15T00:00:00.000Z`,
      input: index * 1_013,
      cached: index * 7,
      output: index * 31,
      ...(index % 4 === 0 && { provider: 'p' }),
    });
  }
  const found = await sums();
  expect(found.map(({ currency, unpriced }) => [currency, unpriced])).toEqual([
    ['EUR', 0],
    ['USD', 0],
    [null, 7],
  ]);
  const one = Object.values(await costs()).filter((cost) => cost !== null);
  expect(one).toHaveLength(13);
  const inTenMillionths = (cost: string): bigint => {
    const [whole, fraction = ''] = cost.split('.');
    return BigInt(`${whole}${fraction.padEnd(20, '0')}`);
  };
  const sum = (costs: (string | null)[]): bigint => costs.reduce((all, cost) => all + inTenMillionths(cost ?? '0'), 0n);
  expect(sum(found.map(({ cost }) => cost))).toBe(sum(one));
});

test('prices: an import again changes nothing, a corrected price takes the place of the old one, others stay unless they are to go', async () => {
  const { database, reader } = await aRequestStore();
  const import_ = (prices: readonly Price[], replace = false) => storePrices(database, prices, { replace });
  const [first, second] = [
    aPrice(),
    aPrice({ model: 'n*', provider: 'p', validUntil: new Date('2027-01-01T00:00:00Z') }),
  ];
  expect(await import_([first, second])).toEqual({ added: 2, changed: 0, unchanged: 0, removed: 0 });
  expect(await import_([first, second])).toEqual({ added: 0, changed: 0, unchanged: 2, removed: 0 });
  expect(await import_([{ ...first, input: '2.50', output: null }])).toEqual({
    added: 0,
    changed: 1,
    unchanged: 0,
    removed: 0,
  });
  expect(await import_([{ ...first, input: '2.5', output: null, source: 'other' }])).toMatchObject({ added: 1 });
  expect(await import_([{ ...first, validFrom: new Date('2026-05-01T00:00:00Z') }], true)).toEqual({
    added: 1,
    changed: 0,
    unchanged: 0,
    removed: 2,
  });
  expect((await listPrices(reader, null)).map(({ model, source, input }) => [model, source, input])).toEqual([
    ['m', 'other', '2.5'],
    ['m', 'test', '1'],
  ]);
  expect(await listPrices(reader, 'nothing')).toEqual([]);
});
