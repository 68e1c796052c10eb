import { expect, test } from 'vitest';
import { compareRequests } from '../../../queries/requests/compare.ts';
import { toCompared } from '../../../queries/requests/parse-compared.ts';
import { UsageError } from '../../../shared/platform/errors.ts';
import { aroundNoon, insertPrices, insertRequests, openRequests } from '../../support/request-rows.ts';

test('request compare: what B has more than A, both from one snapshot', async () => {
  const { database, client } = await openRequests();
  await insertPrices(client, [
    { model: 'a', input: '10000', output: '0' },
    { model: 'b', input: '20000', output: '0' },
  ]);
  await insertRequests(client, [
    ...Array.from({ length: 8 }, () => ({ model: 'a', latencyMs: 100, firstTokenMs: 50, input: 100, output: 10 })),
    ...Array.from({ length: 2 }, () => ({ model: 'a', status: 500 })),
    ...Array.from({ length: 9 }, () => ({ model: 'b', latencyMs: 80, firstTokenMs: 20, input: 100, output: 30 })),
    { model: 'b', status: 500 },
    { model: 'b', state: 'processing' },
    { model: 'c' },
  ]);
  const { a, b, delta } = await compareRequests(database, { window: aroundNoon, compared: { models: ['a', 'b'] } });
  expect([a.model, a.requests, b.model, b.requests]).toEqual(['a', 10, 'b', 11]);
  expect([a.window, b.window]).toEqual([aroundNoon, aroundNoon]);
  expect(delta).toEqual({
    requests: 1,
    failureRate: expect.closeTo(-0.1, 12),
    p50Ms: -20,
    p95Ms: -20,
    p99Ms: -20,
    firstTokenP50Ms: -30,
    firstTokenP95Ms: -30,
    inputTokensPerRequest: 0,
    outputTokensPerRequest: 20,
    costPerRequest: { currency: 'USD', amount: 1 },
  });
});

test('request compare: a window with the one right before it, or with another one', async () => {
  const { database, client } = await openRequests();
  await insertRequests(client, [
    { at: '2026-03-01T09:00:00Z' },
    { at: '2026-03-01T10:59:59.999Z' },
    { at: '2026-03-01T11:00:00Z' },
    { at: '2026-02-01T00:00:00Z', model: 'm-2' },
  ]);
  const before = await compareRequests(database, { window: aroundNoon, compared: { base: null } });
  expect(before).toMatchObject({
    a: { model: null, window: { since: new Date('2026-03-01T09:00:00Z'), until: aroundNoon.since }, requests: 2 },
    b: { window: aroundNoon, requests: 1 },
    delta: { requests: -1, costPerRequest: null },
  });
  const base = { since: new Date('2026-02-01T00:00:00Z'), until: new Date('2026-02-02T00:00:00Z') };
  const other = await compareRequests(database, {
    window: aroundNoon,
    compared: { base },
    subject: { model: 'm-2' },
  });
  expect(other).toMatchObject({ a: { model: 'm-2', window: base, requests: 1 }, b: { requests: 0 } });
  expect(other.delta).toMatchObject({ requests: -1, failureRate: null, p50Ms: null, inputTokensPerRequest: null });
});

test('request compare: costs in different currencies, or in several, have no difference', async () => {
  const { database, client } = await openRequests();
  await insertPrices(client, [
    { model: 'a', input: '1', output: '1' },
    { model: 'b', input: '1', output: '1', currency: 'EUR' },
  ]);
  await insertRequests(client, [
    { model: 'a', input: 1, output: 1 },
    { model: 'b', input: 1, output: 1 },
    { model: 'a', input: 1, output: 1, at: '2026-03-01T10:00:00Z' },
  ]);
  const models = await compareRequests(database, { window: aroundNoon, compared: { models: ['a', 'b'] } });
  expect(models.delta.costPerRequest).toBeNull();
  const windows = await compareRequests(database, { window: aroundNoon, compared: { base: null } });
  expect(windows.b.cost.amounts).toHaveLength(2);
  expect(windows.delta.costPerRequest).toBeNull();
});

const since = '2026-03-01T10:00:00Z';

test('request compare: two models or two windows are understood, anything between is refused', () => {
  const base = { since: new Date(since), until: aroundNoon.since };
  expect(toCompared({ a: 'x', b: 'y' }, aroundNoon)).toEqual({ models: ['x', 'y'] });
  expect(toCompared({}, aroundNoon)).toEqual({ base: null });
  expect(toCompared({ baseSince: since }, aroundNoon)).toEqual({ base });
  expect(toCompared({ baseSince: since, baseUntil: '2026-03-01T12:30:00+01:00' }, aroundNoon)).toEqual({
    base: { since: new Date(since), until: new Date('2026-03-01T11:30:00Z') },
  });
  const ever = { since: null, until: aroundNoon.until };
  for (const [texts, window] of [
    [{ a: 'x' }, aroundNoon],
    [{ b: 'y' }, aroundNoon],
    [{ a: 'x', b: 'y', baseSince: since }, aroundNoon],
    [{ baseUntil: since }, aroundNoon],
    [{ baseSince: 'all' }, aroundNoon],
    [{ baseSince: since }, ever],
    [{ baseSince: '2026-03-01T12:00:00Z' }, aroundNoon],
    [{ baseSince: 'yesterday' }, aroundNoon],
  ] as const)
    expect(() => toCompared(texts, window), JSON.stringify(texts)).toThrow(UsageError);
});
