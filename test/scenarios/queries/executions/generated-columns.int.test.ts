import { expect, test } from 'vitest';
import { durationEdgesMs } from '../../../../queries/executions/histograms.ts';
import { upstreamDurationBins } from '../../../../queries/executions/upstream-figures.ts';
import { insertRuns, openLog } from '../../../support/run-rows.ts';

/** The edges and what is closest to them, every magnitude, and what is no usual duration. */
const durations = [
  ...durationEdgesMs.flatMap((edge) => [edge * (1 - 2e-16), edge, edge * (1 + 2.3e-16)]),
  ...Array.from({ length: 400 }, (_, index) => 10 ** (index / 10 - 25)),
  ...[-3, 0, -0, Number.MIN_VALUE, 5e-7, 999_999_999_999_999],
];

async function openDurations() {
  const { client } = await openLog();
  await insertRuns(
    client,
    durations.map((durationMs) => ({ durationMs })),
  );
  const { rows } = await client.query<{ duration: number; bin: number }>(
    'select duration_ms as duration, duration_bin as bin from strategy_execution_log where duration_bin is not null order by duration_ms',
  );
  return { client, rows };
}

test('duration_bin: its coarse part is the bin of the histogram', async () => {
  const { rows } = await openDurations();
  expect(rows.length).toBeGreaterThan(400);
  for (const { duration, bin } of rows) {
    const expected = upstreamDurationBins([duration]).findIndex(({ count }) => count === 1);
    expect(Math.floor(bin / 1_000), `${duration} ms`).toBe(expected);
  }
});

test('duration_bin: it rises with the duration, and what shares one differs by 5 % or less', async () => {
  const { rows } = await openDurations();
  for (const [index, { duration, bin }] of rows.entries()) {
    const before = rows[index - 1];
    if (before === undefined) continue;
    expect(bin, `${before.duration} ms and ${duration} ms`).toBeGreaterThanOrEqual(before.bin);
    const isBroad = duration < 1e-6;
    if (bin === before.bin && !isBroad) expect(duration / before.duration).toBeLessThanOrEqual(Math.exp(1 / 20));
  }
});

test('duration_bin: NaN, infinities and what is too large have none', async () => {
  const { client } = await openLog();
  await insertRuns(
    client,
    ['NaN', 'Infinity', '-Infinity', 1e15, -1e15, 1.7e308].map((durationMs) => ({ durationMs })),
  );
  const { rows } = await client.query('select distinct duration_bin as bin from strategy_execution_log');
  expect(rows).toEqual([{ bin: null }]);
});

test.each([
  ['sampled, a rate', { sampled: true, sampleRate: 0.05 }, 20],
  ['sampled, every run kept', { sampled: true, sampleRate: 1 }, 1],
  ['sampled, a rate too small to be meant', { sampled: true, sampleRate: 1e-300 }, 1e6],
  ['kept because it failed', { sampled: false, sampleRate: 0.05 }, 1],
])('weight: %s', async (_, row, weight) => {
  const { client } = await openLog();
  await insertRuns(client, [row]);
  const { rows } = await client.query<{ weight: number }>('select weight from strategy_execution_log');
  expect(rows[0]?.weight).toBeCloseTo(weight, 6);
});
