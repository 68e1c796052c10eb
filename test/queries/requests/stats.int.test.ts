import fc from 'fast-check';
import { expect, test } from 'vitest';
import { requestDimensions } from '../../../queries/requests/dimensions.ts';
import { requestStates } from '../../../queries/requests/list-requests.ts';
import { readRequestStats } from '../../../queries/requests/stats.ts';
import { UsageError } from '../../../shared/platform/errors.ts';
import {
  aroundNoon,
  insertPrices,
  insertRequests,
  noon,
  openRequests,
  type RequestRow,
} from '../../support/request-rows.ts';

const question = { window: aroundNoon };

test('request figures: each state, class of status and kind of token is counted apart', async () => {
  const { database, client } = await openRequests();
  await insertRequests(client, [
    { input: 100, cached: 40, output: 10, reasoning: 4, isStream: true },
    { input: 50, output: 5, status: 201 },
    { input: 7 },
    { status: 429, input: 3, output: 0 },
    { status: 503 },
    { state: 'failed', status: null },
    ...['pending', 'claimed', 'processing', 'canceled'].map((state) => ({ state })),
  ]);
  const { summary } = await readRequestStats(database, question);
  expect(summary).toMatchObject({
    requests: 10,
    streams: 1,
    states: { processing: 1, claimed: 1, pending: 1, completed: 3, failed: 3, canceled: 1 },
    statusClasses: { '1xx': 0, '2xx': 3, '3xx': 0, '4xx': 1, '5xx': 1, none: 5 },
    tokens: { input: 160, cached: 40, output: 15, reasoning: 4, inputRequests: 4, outputRequests: 3 },
    cost: { amounts: [], withoutPrice: 2, withoutTokens: 1 },
    failureRate: { value: 0.5, rows: 6, tooFew: true },
  });
});

test('request figures: the share of failures comes with its interval, which is never beyond what a share can be', async () => {
  const { database, client } = await openRequests();
  await insertRequests(client, [
    ...Array.from({ length: 90 }, () => ({ model: 'some' })),
    ...Array.from({ length: 10 }, () => ({ model: 'some', status: 500 })),
    { model: 'one' },
    { model: 'broken', status: 500 },
    { model: 'running', state: 'processing' },
  ]);
  const shareOf = async (model: string) =>
    (await readRequestStats(database, { ...question, subject: { model } })).summary.failureRate;
  // Wilson's interval of 10 in 100, as tables have it.
  expect(await shareOf('some')).toEqual({
    value: 0.1,
    low: expect.closeTo(0.0552, 4),
    high: expect.closeTo(0.1744, 4),
    rows: 100,
    tooFew: false,
  });
  expect(await shareOf('one')).toMatchObject({ value: 0, low: 0, rows: 1, tooFew: true });
  expect(await shareOf('broken')).toMatchObject({ value: 1, high: 1, rows: 1 });
  expect(await shareOf('running')).toEqual({ value: null, low: null, high: null, rows: 0, tooFew: true });
});

test('request figures: times of completed and of failed requests are apart, and what ends before it starts has none', async () => {
  const { database, client } = await openRequests();
  await insertRequests(client, [
    ...[10, 20, 30, 40].map((latencyMs) => ({ latencyMs, firstTokenMs: latencyMs / 10 })),
    { latencyMs: 9_000, status: 500, firstTokenMs: 1 },
    { latencyMs: -5, firstTokenMs: -1 },
    { latencyMs: null },
    { latencyMs: 0 },
    { state: 'processing', firstTokenMs: 3 },
  ]);
  const { summary } = await readRequestStats(database, question);
  const { completed, failed } = summary.latencyMs;
  expect([completed.p50.value, completed.p99.value, completed.p50.rows]).toEqual([20, 40, 5]);
  expect([failed.p50.value, failed.p50.rows]).toEqual([9_000, 1]);
  expect([summary.firstTokenMs.p50.value, summary.firstTokenMs.p50.rows]).toEqual([2, 4]);
});

test('request figures: what arrives at since is within the window, what arrives at until is not', async () => {
  const { database, client } = await openRequests();
  await insertRequests(client, [{ at: '2026-03-01T11:59:59.999Z' }, { at: noon }, { at: '2026-03-01T12:00:00.001Z' }]);
  const countOf = async (since: string, until: string) => {
    const window = { since: new Date(since), until: new Date(until) };
    const stats = await readRequestStats(database, { window });
    expect(stats.window).toEqual(window);
    return stats.summary.requests;
  };
  expect(await countOf(noon, '2026-03-01T12:00:00.001Z')).toBe(1);
  expect(await countOf('2026-03-01T11:59:59.999Z', noon)).toBe(1);
  expect(await countOf('2026-03-01T11:59:59.999Z', '2026-03-01T12:00:00.002Z')).toBe(3);
});

test('request figures: all time begins with the oldest request, or without one with yesterday', async () => {
  const { database, client } = await openRequests();
  const ever = { window: { since: null, until: aroundNoon.until } };
  const empty = await readRequestStats(database, { ...ever, by: 'model' });
  expect(empty.window.since).toEqual(new Date('2026-02-28T13:00:00Z'));
  expect(empty).toMatchObject({
    summary: { requests: 0, failureRate: { value: null }, cost: { amounts: [], withoutPrice: 0, withoutTokens: 0 } },
    lastFailures: [],
    groups: { groups: [], others: { groups: 0, requests: 0 } },
  });
  expect(empty.summary.latencyMs.failed.p95).toEqual({ value: null, low: null, high: null, rows: 0, tooFew: true });
  expect(empty.series.buckets).toHaveLength(48);
  await insertRequests(client, [
    { at: '2019-01-01T00:00:00Z' },
    { at: '2020-01-01T00:00:00Z', model: 'm-2' },
    { at: noon },
  ]);
  expect(await readRequestStats(database, ever)).toMatchObject({
    window: { since: new Date('2019-01-01T00:00:00Z') },
    summary: { requests: 3 },
  });
  expect(await readRequestStats(database, { ...ever, subject: { model: 'm-2' } })).toMatchObject({
    window: { since: new Date('2020-01-01T00:00:00Z') },
    summary: { requests: 1 },
  });
});

test('request figures: a cost is that of the price of its time, to the last digit, and what has none is counted', async () => {
  const { database, client } = await openRequests();
  await insertPrices(client, [
    { model: 'm-1', input: '0.1', cached: '0.01', output: '0.3', until: '2026-03-01T12:00:00Z' },
    { model: 'm-1', input: '0.2', output: '0.7', from: '2026-03-01T12:00:00Z' },
    { model: 'eu-*', input: '1', output: '3', currency: 'EUR' },
  ]);
  await insertRequests(client, [
    // 70 · 0.1 + 30 · 0.01 + 11 · 0.3 = 10.6 millionths
    { at: '2026-03-01T11:59:59.999Z', input: 100, cached: 30, output: 11 },
    // 100 · 0.2 + 11 · 0.7 = 27.7 millionths
    { at: noon, input: 100, output: 11 },
    // From then on, there is no price for what comes from a cache.
    { at: noon, input: 100, cached: 1, output: 11 },
    { at: noon, model: 'eu-large', input: 2_000_000, output: 1 },
    { at: noon, model: 'other', input: 1, output: 1 },
    { at: noon },
    // What failed without tokens costs nothing that anybody knows of, and is not missing.
    { at: noon, status: 500 },
    { at: noon, status: 500, input: 100, output: 0 },
  ]);
  const { summary, series } = await readRequestStats(database, { ...question, bucketMs: 3_600_000 });
  expect(summary.cost).toEqual({
    amounts: [
      { currency: 'EUR', amount: '2.000003', requests: 1 },
      { currency: 'USD', amount: '0.0000583', requests: 3 },
    ],
    withoutPrice: 2,
    withoutTokens: 1,
  });
  expect(series.buckets.map(({ cost }) => cost.amounts.find(({ currency }) => currency === 'USD')?.amount)).toEqual([
    '0.0000106',
    '0.0000477',
  ]);
});

test('request figures: a price that is corrected corrects the past', async () => {
  const { database, client } = await openRequests();
  await insertRequests(client, [{ input: 1_000_000, output: 0 }]);
  const amounts = async () => (await readRequestStats(database, question)).summary.cost.amounts;
  expect(await amounts()).toEqual([]);
  await insertPrices(client, [{ model: 'm-1', input: '2', output: '1' }]);
  expect(await amounts()).toEqual([{ currency: 'USD', amount: '2', requests: 1 }]);
  await client.query(`update price set input = 2.5`);
  expect(await amounts()).toEqual([{ currency: 'USD', amount: '2.5', requests: 1 }]);
});

test('request groups: the greatest come first by what is asked for, the others are counted together', async () => {
  const { database, client } = await openRequests();
  await insertPrices(client, [{ model: 'dear', input: '10', output: '10' }]);
  await insertRequests(client, [
    ...Array.from({ length: 3 }, () => ({ model: 'often', input: 1, output: 1 })),
    ...Array.from({ length: 2 }, () => ({ model: 'broken', status: 500 })),
    { model: 'dear', input: 10, output: 10, latencyMs: 70 },
    { model: 'long', input: 1_000, output: 1_000 },
  ]);
  const keysBy = async (sort: 'requests' | 'failures' | 'tokens' | 'cost') => {
    const { groups } = await readRequestStats(database, { ...question, by: 'model', sort, top: 2 });
    expect(groups?.others.groups).toBe(2);
    const listed = groups?.groups.reduce((sum, { requests }) => sum + requests, 0) ?? 0;
    expect(listed + (groups?.others.requests ?? 0)).toBe(7);
    return groups?.groups.map(({ key }) => key);
  };
  expect(await keysBy('requests')).toEqual(['often', 'broken']);
  expect(await keysBy('failures')).toEqual(['broken', 'often']);
  expect(await keysBy('tokens')).toEqual(['long', 'dear']);
  expect(await keysBy('cost')).toEqual(['dear', 'often']);
  const { groups } = await readRequestStats(database, { ...question, by: 'model', sort: 'cost', top: 1 });
  expect(groups?.groups[0]).toMatchObject({
    key: 'dear',
    requests: 1,
    cost: { amounts: [{ currency: 'USD', amount: '0.0002', requests: 1 }] },
    latencyMs: { completed: { p50: { value: 70, rows: 1 } } },
  });
  expect(groups?.others).toMatchObject({ groups: 3, requests: 6, states: { failed: 2 }, cost: { amounts: [] } });
});

test('request groups: an empty text is another key than none, and names that look alike stay apart', async () => {
  const { database, client } = await openRequests();
  const providers = ['', null, null, '=', 'others', 'null', 'Others', ' others'];
  await insertRequests(
    client,
    providers.map((provider) => ({ provider })),
  );
  const { groups } = await readRequestStats(database, { ...question, by: 'provider' });
  const counted = new Map(groups?.groups.map(({ key, requests }) => [key, requests]));
  expect(counted).toEqual(
    new Map<string | null, number>([
      [null, 2],
      ...['', '=', 'others', 'null', 'Others', ' others'].map((key): [string, number] => [key, 1]),
    ]),
  );
});

test('request groups: by each dimension, and each of them as a filter', async () => {
  const { database, client } = await openRequests();
  const mine: RequestRow = {
    model: 'm',
    provider: 'p',
    api: 'openai-chat',
    createdBy: 'c',
    endpoint: '/v1/chat/completions',
    status: 404,
    tier: 'flex',
  };
  await insertRequests(client, [mine, {}, {}]);
  const keys = { model: 'm', provider: 'p', api: 'openai-chat', createdBy: 'c', endpoint: '/v1/chat/completions' };
  const all = { ...keys, statusClass: '4xx', serviceTier: 'flex' } as const;
  for (const by of requestDimensions) {
    const { groups } = await readRequestStats(database, { ...question, by });
    expect(groups?.groups.map(({ key, requests }) => [key === all[by], requests])).toEqual([
      [false, 2],
      [true, 1],
    ]);
    const { summary } = await readRequestStats(database, { ...question, subject: { [by]: all[by] } });
    expect(summary.requests).toBe(1);
  }
  expect((await readRequestStats(database, { ...question, subject: all })).summary.requests).toBe(1);
  expect(
    (await readRequestStats(database, { ...question, subject: { ...all, api: "x' or true --" } })).summary.requests,
  ).toBe(0);
});

test('request figures: a request with the longest names of all is stored, and counted as others', async () => {
  const { database, client } = await openRequests();
  // Characters of three bytes that no compression makes smaller.
  const name = (seed: number): string =>
    Array.from({ length: 512 }, (_, index) =>
      String.fromCodePoint(0x4e00 + ((index * 7_919 + seed * 104_729) % 20_000)),
    ).join('');
  const [model, createdBy, provider] = [name(1), name(2), name(3)];
  // At the limit to the byte, and one beyond it.
  const just = { model: 'm'.repeat(500), createdBy: 'c'.repeat(500), provider: 'p'.repeat(500) };
  await insertRequests(client, [{ model, createdBy, provider }, just, { ...just, api: 'x' }, {}]);
  const { summary, groups } = await readRequestStats(database, { ...question, by: 'createdBy' });
  expect(summary).toMatchObject({ requests: 4, latencyMs: { completed: { p50: { rows: 4 } } } });
  expect(groups?.groups.map(({ key, requests }) => [key, requests])).toEqual([
    [just.createdBy, 2],
    ['user-1', 1],
    [createdBy, 1],
  ]);
  expect((await readRequestStats(database, { ...question, subject: { model } })).summary.requests).toBe(1);
});

test('request figures: what failed last is listed, the newest first, without bodies', async () => {
  const { database, client } = await openRequests();
  const ids = await insertRequests(
    client,
    Array.from({ length: 12 }, (_, second) => ({ at: new Date(Date.parse(noon) + second * 1_000), status: 500 })),
  );
  await insertRequests(client, [{ at: aroundNoon.until, status: 500 }, {}]);
  const { lastFailures } = await readRequestStats(database, question);
  expect(lastFailures.map(({ id }) => id)).toEqual(ids.toReversed().slice(0, 10));
  expect(lastFailures[0]).toMatchObject({ responseStatus: 500, durationMs: 1_000 });
  expect(JSON.stringify(lastFailures)).not.toContain('hello');
  const ofOk = await readRequestStats(database, { ...question, subject: { statusClass: '2xx' } });
  expect(ofOk.lastFailures).toEqual([]);
});

test('request series: buckets lie between instants, whatever clocks people have there', async () => {
  const { database, client } = await openRequests();
  // In Berlin, the clock goes from 02:00 to 03:00 on this morning: the day has 23 hours.
  const window = { since: new Date('2026-03-29T00:00:00+01:00'), until: new Date('2026-03-30T00:00:00+02:00') };
  await insertRequests(client, [
    { at: window.since },
    { at: '2026-03-29T01:59:59.999+01:00' },
    { at: '2026-03-29T03:00:00+02:00' },
    { at: '2026-03-29T23:59:59.999+02:00' },
    { at: window.until },
  ]);
  const { series, summary } = await readRequestStats(database, { window, bucketMs: 3_600_000 });
  expect(summary.requests).toBe(4);
  expect(series.buckets).toHaveLength(23);
  expect(series.buckets.map(({ requests }) => requests)).toEqual([1, 1, 1, ...Array.from({ length: 19 }, () => 0), 1]);
  // A day of UTC has another beginning than the window: the first and the last bucket are cut.
  const days = await readRequestStats(database, { window, bucketMs: 86_400_000 });
  expect(days.series.buckets.map(({ since, until, requests }) => [since, until, requests])).toEqual([
    [window.since, new Date('2026-03-29T00:00:00Z'), 1],
    [new Date('2026-03-29T00:00:00Z'), window.until, 3],
  ]);
});

/** The smallest value that a share of the values does not exceed. */
function percentileOf(values: readonly number[], share: number): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length - 1e-9) - 1)] ?? null;
}

const hour = 3_600_000;
const anyTokens = fc.option(fc.integer({ min: 0, max: 5_000 }), { freq: 3 });
const anyRow = fc.record({
  at: fc.integer({ min: -600_000, max: 2 * hour + 600_000 }).map((ms) => new Date(aroundNoon.since.getTime() + ms)),
  state: fc.constantFrom(...requestStates, 'completed' as const, 'completed' as const, 'failed' as const),
  status: fc.constantFrom(429, 500, 503),
  model: fc.constantFrom('a', 'b', 'c-1', 'c-2', 'unknown'),
  provider: fc.constantFrom('p', 'q', null),
  createdBy: fc.constantFrom('user-1', 'user-2', 'ü'),
  latencyMs: fc.integer({ min: 0, max: 60_000 }),
  firstTokenMs: fc.option(fc.integer({ min: 0, max: 2_000 })),
  input: anyTokens,
  cachedShare: fc.constantFrom(null, 0, 0.5, 1),
  output: anyTokens,
  isStream: fc.boolean(),
});

const prices = [
  { model: 'a', input: 1_234_567n, cached: 123_456n, output: 9_876_543n, from: 0, until: hour },
  { model: 'a', input: 2_000_001n, cached: 200_000n, output: 8_000_003n, from: hour, until: null },
  { model: 'c-', input: 333_333n, cached: null, output: 777_777n, from: 0, until: null },
];

test('request figures: over any requests, they are what an independent count gives, and costs agree to the last digit', async () => {
  const { database, client } = await openRequests();
  const at = (ms: number): string => new Date(aroundNoon.since.getTime() + ms).toISOString();
  const decimal = (digits: bigint): string => `${digits / 1_000_000n}.${String(digits % 1_000_000n).padStart(6, '0')}`;
  await insertPrices(
    client,
    prices.map(({ model, input, cached, output, from, until }) => ({
      model: model.endsWith('-') ? `${model}*` : model,
      input: decimal(input),
      cached: cached === null ? null : decimal(cached),
      output: decimal(output),
      from: at(from - (from === 0 ? hour : 0)),
      until: until === null ? null : at(until),
    })),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(anyRow, { maxLength: 120 }), async (drawn) => {
      const rows = drawn.map(({ status, cachedShare, ...row }) => ({
        ...row,
        status: row.state === 'failed' ? status : row.state === 'completed' ? 200 : null,
        cached: cachedShare === null || row.input === null ? null : Math.floor(cachedShare * row.input),
      }));
      await client.query('truncate request, request_template');
      await insertRequests(client, rows);
      const within = rows.filter((row) => row.at >= aroundNoon.since && row.at < aroundNoon.until);
      const stats = await readRequestStats(database, { ...question, by: 'model', bucketMs: 1_800_000, top: 50 });
      const { summary, series, groups } = stats;

      /** In millionths of a millionth: exact. */
      const costOf = (row: (typeof rows)[number]): bigint | null => {
        const { input, output, cached } = row;
        const price = prices.find(
          ({ model, from, until }) =>
            (model.endsWith('-') ? row.model.startsWith(model) : row.model === model) &&
            (from === 0 || row.at.toISOString() >= at(from)) &&
            (until === null || row.at.toISOString() < at(until)),
        );
        if (price === undefined || input === null || output === null) return null;
        if (price.cached === null && (cached ?? 0) > 0) return null;
        const uncached = BigInt(input - (cached ?? 0)) * price.input;
        return uncached + BigInt(cached ?? 0) * (price.cached ?? 0n) + BigInt(output) * price.output;
      };
      const check = (figures: typeof summary, mine: typeof rows): void => {
        expect(figures.requests).toBe(mine.length);
        for (const state of requestStates)
          expect(figures.states[state]).toBe(mine.filter((row) => row.state === state).length);
        expect(figures.tokens.input).toBe(mine.reduce((sum, { input }) => sum + (input ?? 0), 0));
        expect(figures.tokens.cached).toBe(mine.reduce((sum, { cached }) => sum + (cached ?? 0), 0));
        expect(figures.tokens.output).toBe(mine.reduce((sum, { output }) => sum + (output ?? 0), 0));
        const costs = mine.map(costOf).filter((cost) => cost !== null);
        const total = costs.reduce((sum, cost) => sum + cost, 0n);
        const digits = String(total).padStart(13, '0');
        const exact = `${digits.slice(0, -12)}.${digits.slice(-12)}`.replace(/\.?0+$/, '');
        expect(figures.cost.amounts).toEqual(
          costs.length === 0 ? [] : [{ currency: 'USD', amount: exact, requests: costs.length }],
        );
        const unpriced = mine.filter((row) => row.state === 'completed' && costOf(row) === null).length;
        expect(figures.cost.withoutPrice + figures.cost.withoutTokens).toBe(unpriced);
        for (const [name, state] of [
          ['completed', 'completed'],
          ['failed', 'failed'],
        ] as const) {
          const times = mine.filter((row) => row.state === state).map(({ latencyMs }) => latencyMs);
          for (const [percentile, share] of [
            ['p50', 0.5],
            ['p95', 0.95],
            ['p99', 0.99],
          ] as const) {
            const truth = percentileOf(times, share);
            const { value, rows: of } = figures.latencyMs[name][percentile];
            expect(of).toBe(times.length);
            if (truth === null) expect(value).toBeNull();
            // A bin is 5 % wide.
            else expect(Math.abs((value ?? Number.NaN) - truth)).toBeLessThanOrEqual(truth * 0.0513 + 1e-9);
          }
        }
        const firstTokens = mine.filter((row) => row.state === 'completed' && row.firstTokenMs !== null);
        expect(figures.firstTokenMs.p50.rows).toBe(firstTokens.length);
      };
      check(summary, within);
      for (const group of groups?.groups ?? [])
        check(
          group,
          within.filter(({ model }) => model === group.key),
        );
      expect(groups?.groups.length).toBe(new Set(within.map(({ model }) => model)).size);
      expect(series.buckets).toHaveLength(4);
      for (const bucket of series.buckets) {
        const mine = within.filter((row) => row.at >= bucket.since && row.at < bucket.until);
        expect(bucket.requests).toBe(mine.length);
        expect(bucket.latencyMs.rows).toBe(mine.filter(({ state }) => state === 'completed').length);
        expect(bucket.tokens.output).toBe(mine.reduce((sum, { output }) => sum + (output ?? 0), 0));
      }
    }),
    { numRuns: 25 },
  );
});

test('request figures: what cannot be asked is refused', async () => {
  const { database } = await openRequests();
  const backwards = { since: aroundNoon.until, until: aroundNoon.since };
  await expect(readRequestStats(database, { window: backwards })).rejects.toThrow(UsageError);
  await expect(readRequestStats(database, { ...question, top: 51 })).rejects.toThrow(UsageError);
  await expect(readRequestStats(database, { ...question, bucketMs: 1_000 })).rejects.toThrow(UsageError);
});
