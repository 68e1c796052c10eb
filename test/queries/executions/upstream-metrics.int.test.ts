import { expect, test } from 'vitest';
import { compareUpstreamMetrics, readUpstreamMetrics } from '../../../queries/executions/upstream-metrics.ts';
import { aroundNoon, insertRuns, openLog, upstreamRows } from '../../support/run-rows.ts';

const everything = { weighted: false, since: null, until: null } as const;

test('upstream metrics (20–25, 27, 39), unweighted: the rows as they are stored, failures and all', async () => {
  const { database, client } = await openLog();
  await insertRuns(
    client,
    upstreamRows.map((row) => ({ ...row, sampleRate: 0.05 })),
  );
  const metrics = await readUpstreamMetrics(database, { strategyId: 's1', window: everything });
  expect(metrics).toMatchObject({
    strategyId: 's1',
    version: 3,
    windowFrom: null,
    windowUntil: null,
    statusBreakdown: { ok: 6, error: 2, timeout: 1, limit: 0, other: 0, total: 9 },
    successRate: 6 / 9,
    errorRate: 3 / 9,
    duration: { maxMs: 999, sampleSize: 9, p50Ms: 30 },
    topErrors: [
      { code: 'DSL_ARITH_DIV_BY_ZERO', count: 2 },
      { code: 'DSL_TIMEOUT', count: 1 },
    ],
    topCases: [
      { caseName: 'A', count: 4 },
      { caseName: null, count: 4 },
      { caseName: 'B', count: 1 },
    ],
    pointsSum: 21,
    nodesMax: 7,
  });
  expect(metrics?.pointsHistogram.reduce((sum, { count }) => sum + count, 0)).toBe(6);
  expect(metrics?.durationHistogram.reduce((sum, { count }) => sum + count, 0)).toBe(9);
});

test('upstream metrics (26), unweighted: both ends of a window belong to it', async () => {
  const { database, client } = await openLog();
  await insertRuns(client, [{ at: aroundNoon.since }, { at: aroundNoon.until }, { at: '2026-03-01T13:00:00.001Z' }]);
  const metrics = await readUpstreamMetrics(database, { strategyId: 's1', window: { weighted: false, ...aroundNoon } });
  expect(metrics).toMatchObject({
    statusBreakdown: { total: 2 },
    windowFrom: '2026-03-01T11:00:00.000Z',
    windowUntil: '2026-03-01T13:00:00.000Z',
  });
});

test('upstream metrics, unweighted: percentiles are of the newest 1,000', async () => {
  const { database, client } = await openLog();
  await insertRuns(client, new Array(500).fill({ at: aroundNoon.since, durationMs: 500 }));
  await insertRuns(client, new Array(1_000).fill({ durationMs: 1, points: 2 }));
  const metrics = await readUpstreamMetrics(database, { strategyId: 's1', window: everything });
  expect(metrics?.duration).toMatchObject({ p99Ms: 1, maxMs: 500, sampleSize: 1_000 });
  expect(metrics?.statusBreakdown.total).toBe(1_500);
});

test('upstream metrics, weighted: runs in place of rows, ok runs apart from failures', async () => {
  const { database, client } = await openLog();
  await insertRuns(
    client,
    upstreamRows.map((row) => ({ ...row, sampleRate: 0.05 })),
  );
  const metrics = await readUpstreamMetrics(database, { strategyId: 's1', window: aroundNoon });
  expect(metrics).toMatchObject({
    windowFrom: '2026-03-01T11:00:00.000Z',
    windowUntil: '2026-03-01T13:00:00.000Z',
    statusBreakdown: { ok: 120, error: 2, timeout: 1, limit: 0, other: 0, total: 123 },
    successRate: 120 / 123,
    errorRate: 3 / 123,
    duration: { avgMs: 35, p50Ms: 30, maxMs: 60, sampleSize: 6 },
    topCases: [
      { caseName: 'A', count: 80 },
      { caseName: 'B', count: 20 },
      { caseName: null, count: 20 },
    ],
    pointsSum: 420,
  });
  expect(metrics?.durationHistogram).toHaveLength(13);
  expect(metrics?.pointsHistogram).toHaveLength(10);
  expect(metrics?.pointsHistogram[0]).toEqual({ label: '1–1.5', upperBound: 1.5, count: 20 });
});

test.each([everything, aroundNoon])(
  'upstream metrics (40, 41): no row at all is null, none in the window is zeros: %j',
  async (window) => {
    const { database, client } = await openLog();
    expect(await readUpstreamMetrics(database, { strategyId: 's1', window })).toBeNull();
    await insertRuns(client, [{ at: '2026-02-01T00:00:00Z' }]);
    const empty = 'weighted' in window ? { ...window, since: aroundNoon.since } : window;
    expect(await readUpstreamMetrics(database, { strategyId: 's1', window: empty })).toMatchObject({
      statusBreakdown: { total: 0 },
      successRate: 0,
      errorRate: 0,
      duration: { p95Ms: 0, sampleSize: 0 },
      pointsHistogram: [{ label: '0', upperBound: 0, count: 0 }],
    });
  },
);

test.each([everything, aroundNoon])('upstream metrics: NaN and infinities break no answer: %j', async (window) => {
  const { database, client } = await openLog();
  await insertRuns(client, [
    ...['NaN', 'Infinity', '-Infinity'].map((value) => ({ points: value, durationMs: value })),
    { points: 3, durationMs: 4 },
  ]);
  expect(await readUpstreamMetrics(database, { strategyId: 's1', window })).toMatchObject({
    statusBreakdown: { total: 4 },
    duration: { p95Ms: 4, avgMs: 4, maxMs: 4 },
    pointsSum: 3,
  });
});

test('upstream compare (42), unweighted: what B has more than A', async () => {
  const { database, client } = await openLog();
  await insertRuns(client, [
    ...Array.from({ length: 8 }, () => ({ strategyId: 'a', durationMs: 100, points: 1.25 })),
    ...Array.from({ length: 2 }, () => ({ strategyId: 'a', status: 'error', durationMs: 100 })),
    ...Array.from({ length: 9 }, () => ({ strategyId: 'b', durationMs: 80, points: 20 / 9 })),
    { strategyId: 'b', status: 'error', durationMs: 80 },
  ]);
  const compared = await compareUpstreamMetrics(database, { a: 'a', b: 'b', window: everything });
  expect(compared?.delta.successRate).toBeCloseTo(0.1, 12);
  expect(compared?.delta.errorRate).toBeCloseTo(-0.1, 12);
  expect(compared?.delta.avgMs).toBe(-20);
  expect(compared?.delta.pointsAvg).toBeCloseTo(1, 12);
  expect(await compareUpstreamMetrics(database, { a: 'a', b: 'nobody', window: everything })).toBeNull();
});
