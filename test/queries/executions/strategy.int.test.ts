import { expect, test } from 'vitest';
import { compareStrategies } from '../../../queries/executions/compare.ts';
import { listStrategies } from '../../../queries/executions/strategies.ts';
import { readStrategy } from '../../../queries/executions/strategy.ts';
import { UsageError } from '../../../shared/platform/errors.ts';
import { aroundNoon, insertRuns, noon, openLog, upstreamRows } from '../../support/run-rows.ts';

const s1 = { strategyId: 's1', window: aroundNoon };

test('figures (20, 27): statuses are counted of the one strategy', async () => {
  const { database, client } = await openLog();
  await insertRuns(client, upstreamRows);
  const { summary } = await readStrategy(database, s1);
  const counts = Object.entries(summary.statuses).map(([status, { rows, runs }]) => [status, rows, runs]);
  expect(counts).toEqual([
    ['ok', 6, 6],
    ['error', 2, 2],
    ['timeout', 1, 1],
    ['limit', 0, 0],
    ['cancelled', 0, 0],
  ]);
  expect(summary.total).toEqual({ rows: 9, runs: 9 });
  expect(summary.failureRate).toEqual({ value: 3 / 9, margin: 0, rows: 9, tooFew: true });
});

test('figures (21): error codes are counted, the most frequent first', async () => {
  const { database, client } = await openLog();
  await insertRuns(client, [...upstreamRows, { status: 'limit' }]);
  const { errorCodes } = await readStrategy(database, s1);
  expect(errorCodes).toEqual({
    codes: [
      { code: 'DSL_ARITH_DIV_BY_ZERO', rows: 2, runs: 2 },
      { code: 'DSL_TIMEOUT', rows: 1, runs: 1 },
    ],
    others: { rows: 0, runs: 0 },
    withoutCode: { rows: 1, runs: 1 },
  });
});

test('figures (22): cases are those of ok runs; what matched none and what failed is told apart', async () => {
  const { database, client } = await openLog();
  await insertRuns(client, [...upstreamRows, { status: 'error', caseName: 'A' }]);
  const { cases } = await readStrategy(database, s1);
  expect(cases).toEqual({
    cases: [
      { caseName: 'A', rows: 4, runs: 4 },
      { caseName: 'B', rows: 1, runs: 1 },
    ],
    others: { rows: 0, runs: 0 },
    unmatched: { rows: 1, runs: 1 },
    failed: { rows: 4, runs: 4 },
  });
});

test('figures: beyond the listed ones, codes and cases are counted together', async () => {
  const { database, client } = await openLog();
  await insertRuns(
    client,
    ['a', 'b', 'b', 'c'].map((caseName) => ({ caseName, sampleRate: 0.5 })),
  );
  await insertRuns(
    client,
    ['X', 'Y', 'Y'].map((errorCode) => ({ status: 'error', errorCode })),
  );
  const { cases, errorCodes } = await readStrategy(database, { ...s1, top: 1 });
  expect(cases.cases).toEqual([{ caseName: 'b', rows: 2, runs: 4 }]);
  expect(cases.others).toEqual({ rows: 2, runs: 4 });
  expect(errorCodes.codes).toEqual([{ code: 'Y', rows: 2, runs: 2 }]);
  expect(errorCodes.others).toEqual({ rows: 1, runs: 1 });
});

test('figures: two long names with the same beginning are two cases', async () => {
  const { database, client } = await openLog();
  const long = 'ß'.repeat(500);
  await insertRuns(client, [{ caseName: `${long}1` }, { caseName: `${long}2` }, { caseName: `${long}2` }]);
  const { cases } = await readStrategy(database, s1);
  expect(cases.cases.map(({ caseName, rows }) => [caseName.slice(0, 63), rows])).toEqual([
    ['ß'.repeat(63), 2],
    ['ß'.repeat(63), 1],
  ]);
});

test('figures: a row with the longest names of all is stored', async () => {
  const { database, client } = await openLog();
  // Characters of four bytes that no compression makes smaller.
  const name = (seed: number): string =>
    Array.from({ length: 512 }, (_, index) =>
      String.fromCodePoint(0x10000 + ((index * 7919 + seed * 104_729) % 60_000)),
    ).join('');
  const strategyId = name(1);
  await insertRuns(client, [
    { strategyId, caseName: name(2) },
    { strategyId, status: 'error', errorCode: name(3) },
  ]);
  const { summary } = await readStrategy(database, { strategyId, window: aroundNoon });
  expect(summary.total.rows).toBe(2);
});

test('figures (23, 24, 25): durations, nodes and points are summed up, ok runs apart from failures', async () => {
  const { database, client } = await openLog();
  await insertRuns(client, upstreamRows);
  const { summary, durations, durationBins, pointsBins } = await readStrategy(database, s1);
  expect(summary.statuses.ok.durationMs).toEqual({
    mean: 35,
    margin: expect.closeTo((1.959964 * Math.sqrt(1_750)) / 6, 9),
    min: 10,
    max: 60,
    tooFew: true,
  });
  expect(summary.statuses.timeout.durationMs).toMatchObject({ mean: 999, margin: null, min: 999, max: 999 });
  expect(summary.statuses.limit.durationMs).toMatchObject({ mean: null, margin: null, min: null, max: null });
  expect(summary.statuses.ok.nodes).toEqual({ mean: 16 / 6, max: 7, tooFew: true });
  const margin = expect.closeTo((1.959964 * Math.sqrt(17.5)) / 6, 9);
  expect(summary.points).toEqual({ rows: 6, runs: 6, sum: 21, mean: 3.5, margin, min: 1, max: 6, tooFew: true });
  expect(durations.ok.p50).toMatchObject({ value: 30, tooFew: true });
  expect(durations.ok.p99.value).toBe(60);
  expect(durations.failed.p95.value).toBe(999);
  expect(durationBins.ok.map(({ rows }) => rows)).toEqual([0, 1, 1, 3, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
  expect(durationBins.failed.map(({ rows }) => rows)).toEqual([2, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]);
  expect(pointsBins.map(({ rows }) => rows)).toEqual([1, 0, 1, 0, 1, 0, 1, 0, 1, 1]);
  expect([pointsBins[0]?.from, pointsBins[9]?.below]).toEqual([1, 6]);
});

test('figures: a row stands for as many runs as its sample rate says, and a failure for one', async () => {
  const { database, client } = await openLog();
  await insertRuns(client, [
    { sampleRate: 0.05, caseName: 'A', durationMs: 10, points: 1, nodes: 1 },
    { sampleRate: 0.5, caseName: 'B', durationMs: 32, points: 12, nodes: 12 },
    { status: 'error', errorCode: 'E', sampleRate: 0.05, durationMs: 100, points: 3 },
  ]);
  const { summary, cases, durations, durationBins, pointsBins } = await readStrategy(database, s1);
  expect(summary.total).toEqual({ rows: 3, runs: 23 });
  expect(summary.failureRate.value).toBeCloseTo(1 / 23, 12);
  expect(cases.cases.map(({ runs }) => runs)).toEqual([20, 2]);
  expect(summary.statuses.ok.durationMs.mean).toBeCloseTo((20 * 10 + 2 * 32) / 22, 12);
  expect(summary.statuses.ok.nodes.mean).toBeCloseTo(2, 12);
  expect(summary.points).toMatchObject({ rows: 2, runs: 22, sum: 44, mean: 2 });
  // 20 of 22 runs took 10 ms.
  expect([durations.ok.p50.value, durations.ok.p95.value]).toEqual([10, 32]);
  expect(durationBins.ok[1]).toEqual({ aboveMs: 5, upToMs: 10, rows: 1, runs: 20 });
  expect(pointsBins.map(({ runs }) => runs)).toEqual([20, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
});

test('figures (26): what lies at since belongs to the window, what lies at until to the next one', async () => {
  const { database, client } = await openLog();
  const [before, at, after] = ['2026-03-01T11:59:59.999Z', noon, '2026-03-01T12:00:00.001Z'];
  await insertRuns(client, [{ at: before }, { at }, { at: after }]);
  const rowsOf = async (since: string, until: string) => {
    const window = { since: new Date(since), until: new Date(until) };
    const answer = await readStrategy(database, { strategyId: 's1', window });
    expect(answer.window).toEqual(window);
    return answer.summary.total.rows;
  };
  expect(await rowsOf(at, after)).toBe(1);
  expect(await rowsOf(before, at)).toBe(1);
  expect(await rowsOf(before, '2026-03-01T12:00:00.002Z')).toBe(3);
});

test('figures: everything begins with the oldest row, and the answer says when that was', async () => {
  const { database, client } = await openLog();
  await insertRuns(client, [
    { at: '2019-01-01T00:00:00Z' },
    { at: noon },
    { at: '2018-01-01T00:00:00Z', strategyId: 's2' },
  ]);
  const { window, summary } = await readStrategy(database, {
    strategyId: 's1',
    window: { since: null, until: aroundNoon.until },
  });
  expect(window).toEqual({ since: new Date('2019-01-01T00:00:00Z'), until: aroundNoon.until });
  expect(summary.total.rows).toBe(2);
});

test('figures (30, 33, 36, 41): a strategy without a run has empty figures of the same shape', async () => {
  const { database } = await openLog();
  const answer = await readStrategy(database, { ...s1, window: { since: null, until: aroundNoon.until } });
  expect(answer.summary).toMatchObject({ total: { rows: 0, runs: 0 }, failureRate: { value: null, tooFew: true } });
  expect(answer.durations.ok.p95).toEqual({ value: null, low: null, high: null, rows: 0, tooFew: true });
  expect(answer.durationBins.ok).toHaveLength(13);
  expect([answer.pointsBins, answer.errorCodes.codes, answer.cases.cases]).toEqual([[], [], []]);
  expect(answer.series.buckets).toHaveLength(48);
});

test('points bins (38): equal values are one bin', async () => {
  const { database, client } = await openLog();
  await insertRuns(client, [{ points: 4, sampleRate: 0.1 }, { points: 4 }, { points: null }]);
  expect((await readStrategy(database, s1)).pointsBins).toEqual([{ from: 4, below: 4, rows: 2, runs: 11 }]);
});

test('figures: NaN, infinities and absurd values are left out and break nothing', async () => {
  const { database, client } = await openLog();
  const absurd = ['NaN', 'Infinity', '-Infinity', '1e308', '-1e308'];
  await insertRuns(client, [
    ...absurd.map((value) => ({ points: value, durationMs: value })),
    { points: 5, durationMs: 7 },
    { points: -5, durationMs: -1 },
    { points: 0, durationMs: 0 },
    { sampleRate: 1e-300, points: 1, durationMs: 7 },
  ]);
  const { summary, durations, series } = await readStrategy(database, s1);
  expect(summary.statuses.ok).toMatchObject({ rows: 9, rowsWithoutDuration: 5, durationMs: { min: -1, max: 7 } });
  expect(summary.points).toMatchObject({ rows: 4, min: -5, max: 5 });
  expect(durations.ok.p50.value).toBe(7);
  expect(series.buckets.find(({ p50 }) => p50 !== null)?.p50).toBe(7);
});

test('series: every bucket is there, counted by status, with percentiles of ok runs', async () => {
  const { database, client } = await openLog();
  await insertRuns(client, [
    { at: '2026-03-01T11:00:00Z', durationMs: 10, sampleRate: 0.1 },
    { at: '2026-03-01T11:29:59.999Z', durationMs: 20, sampleRate: 0.1 },
    { at: '2026-03-01T11:10:00Z', status: 'timeout', durationMs: 500 },
    { at: '2026-03-01T12:30:00Z', status: 'error', durationMs: 3 },
    { at: '2026-03-01T13:00:00Z' },
  ]);
  const { window, series } = await readStrategy(database, { ...s1, bucketMs: 1_800_000 });
  const { bucketMs, buckets } = series;
  expect([bucketMs, window]).toEqual([1_800_000, aroundNoon]);
  expect(buckets.map(({ since }) => since.toISOString().slice(11, 16))).toEqual(['11:00', '11:30', '12:00', '12:30']);
  expect(buckets[0]).toMatchObject({
    statuses: { ok: { rows: 2, runs: 20 }, timeout: { rows: 1, runs: 1 }, error: { rows: 0, runs: 0 } },
    p50: 10,
    p95: 20,
    durationRows: 2,
    tooFew: ['p50', 'p95', 'p99'],
  });
  expect(buckets[1]).toMatchObject({ statuses: { ok: { rows: 0 } }, p50: null, durationRows: 0 });
  expect(buckets[3]).toMatchObject({ statuses: { error: { rows: 1, runs: 1 } }, p50: null });
});

test('series: the buckets together have what the window has', async () => {
  const { database, client } = await openLog();
  const rows = Array.from({ length: 300 }, (_, index) => ({
    at: new Date(aroundNoon.since.getTime() + index * 24_321),
    sampleRate: index % 2 === 0 ? 0.1 : 0.3,
    status: index % 5 === 0 ? 'error' : 'ok',
  }));
  await insertRuns(client, rows);
  for (const bucketMs of [null, 17_000, 7_200_000]) {
    const { series, summary } = await readStrategy(database, { ...s1, bucketMs });
    const ok = series.buckets.map(({ statuses }) => statuses.ok);
    expect(ok.reduce((sum, { rows }) => sum + rows, 0)).toBe(summary.statuses.ok.rows);
    expect(ok.reduce((sum, { runs }) => sum + runs, 0)).toBeCloseTo(summary.statuses.ok.runs, 6);
  }
});

test('compare (42): what B has more than A, both from one snapshot', async () => {
  const { database, client } = await openLog();
  await insertRuns(client, [
    ...Array.from({ length: 8 }, () => ({ strategyId: 'a', durationMs: 100, points: 1 })),
    { strategyId: 'a', status: 'error' },
    { strategyId: 'a', status: 'timeout' },
    ...Array.from({ length: 9 }, () => ({ strategyId: 'b', durationMs: 80, points: 2 })),
    { strategyId: 'b', status: 'error' },
  ]);
  const { delta, a, b } = await compareStrategies(database, { a: 'a', b: 'b', window: aroundNoon });
  expect(delta.failureRate).toBeCloseTo(-0.1, 12);
  expect(delta).toMatchObject({ meanMs: -20, p50Ms: -20, p95Ms: -20, meanPoints: 1 });
  expect([a.strategyId, b.strategyId]).toEqual(['a', 'b']);
});

test('compare: with nothing on one side there is no difference', async () => {
  const { database, client } = await openLog();
  await insertRuns(client, [{ strategyId: 'a', points: 1 }]);
  const { delta } = await compareStrategies(database, { a: 'a', b: 'b', window: aroundNoon });
  expect(new Set(Object.values(delta))).toEqual(new Set([null]));
});

test('strategies: those that ran within the window, the last first', async () => {
  const { database, client } = await openLog();
  await insertRuns(client, [
    { strategyId: 'early', at: '2026-03-01T11:00:00Z', sampleRate: 0.1 },
    { strategyId: 'early', at: '2026-03-01T11:00:01Z', status: 'error' },
    { strategyId: 'late', at: noon },
    { strategyId: 'outside', at: aroundNoon.until },
  ]);
  const seen = await listStrategies(database, { window: aroundNoon });
  expect(seen.map(({ strategyId }) => strategyId)).toEqual(['late', 'early']);
  expect(seen[1]).toMatchObject({
    lastActivity: new Date('2026-03-01T11:00:01Z'),
    total: { rows: 2, runs: 11 },
    failed: { rows: 1, runs: 1 },
    failureRate: { value: 1 / 11, tooFew: true },
  });
  expect(await listStrategies(database, { window: aroundNoon, limit: 1 })).toHaveLength(1);
});

test('figures: what cannot be asked is refused', async () => {
  const { database } = await openLog();
  const backwards = { since: aroundNoon.until, until: aroundNoon.since };
  await expect(readStrategy(database, { ...s1, window: backwards })).rejects.toThrow(UsageError);
  await expect(readStrategy(database, { ...s1, top: 51 })).rejects.toThrow(UsageError);
  await expect(readStrategy(database, { ...s1, bucketMs: 1_000 })).rejects.toThrow(UsageError);
  await expect(listStrategies(database, { window: aroundNoon, limit: 201 })).rejects.toThrow(UsageError);
});
