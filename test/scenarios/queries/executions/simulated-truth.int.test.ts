import type pg from 'pg';
import { expect, test } from 'vitest';
import { readStrategy } from '../../../../queries/executions/strategy.ts';
import { aroundNoon, openLog, randomFrom } from '../../../support/run-rows.ts';

/** Runs as they really were, and the rows that sampling leaves of them. */
interface Trial {
  strategyId: string;
  failureRate: number;
  p50: number;
  p95: number;
  rows: { status: string; durationMs: number; sampleRate: number }[];
}

const runs = 20_000;
const sampleRate = 0.05;
const trueErrorRate = 0.01;
const trials = 60;

/** One run in a hundred fails, after 500 ms and more; the others take about as long as scoring does, log-normally. */
function simulate(seed: number): Trial {
  const random = randomFrom(seed);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const okDurations: number[] = [];
  const rows: Trial['rows'] = [];
  for (let run = 0; run < runs; run += 1) {
    if (random() < trueErrorRate) {
      rows.push({ status: 'timeout', durationMs: 500 + random() * 20, sampleRate: 1 });
    } else {
      const durationMs = Math.exp(1.5 + 0.8 * normal());
      okDurations.push(durationMs);
      if (random() < sampleRate) rows.push({ status: 'ok', durationMs, sampleRate });
    }
  }
  okDurations.sort((a, b) => a - b);
  const at = (share: number): number => okDurations[Math.ceil(share * okDurations.length) - 1] ?? Number.NaN;
  return { strategyId: `trial-${seed}`, failureRate: 1 - okDurations.length / runs, p50: at(0.5), p95: at(0.95), rows };
}

async function insertTrial(client: pg.Client, { strategyId, rows }: Trial): Promise<void> {
  await client.query(
    `insert into strategy_execution_log (id, recorded_at, strategy_id, strategy_version, strategy_type, status, duration_ms, nodes_executed, sampled, sample_rate)
     select gen_random_uuid(), '2026-03-01T12:00:00Z', $1, 1, 'DSL_FULL', status, "durationMs", 1, status = 'ok', "sampleRate"
     from json_to_recordset($2::json) as row (status text, "durationMs" float8, "sampleRate" float8)`,
    [strategyId, JSON.stringify(rows)],
  );
}

test('simulated truth: at 1 % errors and a 5 % sample, rate and percentiles lie as near to the truth as the answer says', async () => {
  const { database, client } = await openLog();
  const within = { rate: 0, p50: 0, p95: 0 };
  let unweighted = 0;
  for (let seed = 1; seed <= trials; seed += 1) {
    const truth = simulate(seed);
    await insertTrial(client, truth);
    const { summary, durations } = await readStrategy(database, { strategyId: truth.strategyId, window: aroundNoon });
    const { failureRate, failed, total } = summary;
    const { p50, p95 } = durations.ok;
    if (Math.abs((failureRate.value ?? Number.NaN) - truth.failureRate) <= (failureRate.margin ?? 0)) within.rate += 1;
    if ((p50.low ?? Number.NaN) <= truth.p50 && truth.p50 <= (p50.high ?? Number.NaN)) within.p50 += 1;
    if ((p95.low ?? Number.NaN) <= truth.p95 && truth.p95 <= (p95.high ?? Number.NaN)) within.p95 += 1;
    unweighted += failed.rows / total.rows / trials;
    // The error that is stated is one to go by: a tenth of the rate, a fifth of the percentile
    // to either side, the width of a bin included.
    expect(failureRate.margin).toBeLessThan(0.1 * truth.failureRate);
    expect((p95.high ?? Number.NaN) - (p95.low ?? Number.NaN)).toBeLessThan(0.4 * truth.p95);
    expect([failureRate.tooFew, p95.tooFew]).toEqual([false, false]);
  }
  // 95 % of 60 are 57; fewer than 52 would be so in one of a hundred such tests, if what is stated were true.
  expect(Math.min(within.rate, within.p50, within.p95)).toBeGreaterThanOrEqual(52);
  // What counting rows says, as the original does.
  expect(unweighted).toBeGreaterThan(0.15);
});

test('percentiles: as near to those of the values themselves as the bins allow, at two sample rates at once', async () => {
  const { database, client } = await openLog();
  const random = randomFrom(7);
  const rows = Array.from({ length: 20_000 }, (_, index) => ({
    status: 'ok',
    durationMs: Math.exp(random() * 8 - 2),
    sampleRate: index % 3 === 0 ? 0.05 : 0.2,
  }));
  await insertTrial(client, { strategyId: 's', failureRate: 0, p50: 0, p95: 0, rows });
  const { durations } = await readStrategy(database, { strategyId: 's', window: aroundNoon });
  const sorted = rows.toSorted((a, b) => a.durationMs - b.durationMs);
  const total = sorted.reduce((sum, { sampleRate }) => sum + 1 / sampleRate, 0);
  for (const [name, share] of [
    ['p50', 0.5],
    ['p95', 0.95],
    ['p99', 0.99],
  ] as const) {
    let upto = 0;
    const exact = sorted.find(({ sampleRate }) => {
      upto += 1 / sampleRate;
      return upto >= share * total;
    });
    expect(Math.abs((durations.ok[name].value ?? Number.NaN) / (exact?.durationMs ?? Number.NaN) - 1)).toBeLessThan(
      0.01,
    );
  }
});

test('percentiles: values that lie close together within a bin are told as they lie, and the truth is within the interval', async () => {
  const { database, client } = await openLog();
  const rows = Array.from({ length: 1_000 }, (_, index) => ({
    status: 'ok',
    durationMs: index < 990 ? 500.1 + (0.9 * index) / 989 : 515,
    sampleRate: 1,
  }));
  await insertTrial(client, { strategyId: 's', failureRate: 0, p50: 0, p95: 0, rows });
  const { ok } = (await readStrategy(database, { strategyId: 's', window: aroundNoon })).durations;
  for (const [name, rank] of [
    ['p50', 500],
    ['p95', 950],
    ['p99', 990],
  ] as const) {
    const truth = rows[rank - 1]?.durationMs ?? Number.NaN;
    const { value, low, high } = ok[name];
    expect([low, high], name).toEqual([500.1, 515]);
    expect(Math.abs((value ?? Number.NaN) / truth - 1), name).toBeLessThan(name === 'p99' ? 0.03 : 0.01);
  }
});
