import { describe, expect, test } from 'vitest';
import { generateEvents } from '../../../demo/executions/events.ts';
import { createScoringService } from '../../../demo/executions/scoring-service.ts';
import { demoStrategies } from '../../../demo/executions/strategies.ts';
import type { Execution } from '../../../producers/index.ts';

function scoreAll(seed = 1): Execution[] {
  const executions: Execution[] = [];
  const score = createScoringService({
    observer: { record: (execution) => executions.push(execution) },
    strategies: demoStrategies,
    realms: ['north', 'south', 'west'],
  });
  for (const event of generateEvents({ count: 5000, seed, strategies: demoStrategies })) score(event);
  return executions;
}

describe('demo strategies', () => {
  const runs = scoreAll();

  test('demo strategies: ids are UUIDs and none is used twice', () => {
    const ids = demoStrategies.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  test.each(demoStrategies.map((strategy) => [strategy.name, strategy] as const))(
    'demo strategies: in %s every rule has an id of its own, and all of it is plain JSON',
    (_, strategy) => {
      const ids = [...strategy.rules, ...(strategy.extension ?? [])].map(([id]) => id);
      expect(new Set(ids).size).toBe(ids.length);
      expect(JSON.parse(JSON.stringify(strategy))).toEqual(strategy);
    },
  );

  test('demo strategies: the same seed gives the same runs', () => {
    const timeless = (executions: readonly Execution[]) => executions.map(({ durationMs, ...execution }) => execution);
    expect(timeless(scoreAll())).toEqual(timeless(runs));
    expect(timeless(scoreAll(2))).not.toEqual(timeless(runs));
  });

  test('demo strategies: 90 to 95 of 100 runs end well', () => {
    const ok = runs.filter(({ status }) => status === 'ok').length;
    expect(ok / runs.length).toBeGreaterThan(0.9);
    expect(ok / runs.length).toBeLessThan(0.95);
  });

  test('demo strategies: every kind of failure they are made for occurs', () => {
    expect(new Set(runs.map(({ status, errorCode }) => `${status} ${errorCode}`))).toEqual(
      new Set([
        'ok undefined',
        'error DSL_ARITH_DIV_BY_ZERO',
        'error DSL_ARITH_TYPE_MISMATCH',
        'error DSL_ASSIGN_POINTS_NOT_NUMBER',
        'error DSL_COMPARE_TYPE_MISMATCH',
        'limit DSL_LIMIT_EXCEEDED',
        'timeout DSL_TIMEOUT',
        'error DSL_UNEXPECTED',
      ]),
    );
  });

  test('demo strategies: each one scores, most of the time, in more than one way or with varying points', () => {
    for (const { id, name } of demoStrategies) {
      const own = runs.filter(({ strategyId }) => strategyId === id);
      const scored = own.filter(({ status }) => status === 'ok');
      expect(scored.length / own.length, name).toBeGreaterThan(0.75);
      expect(new Set(scored.map(({ caseName, points }) => `${caseName} ${points}`)).size, name).toBeGreaterThan(2);
    }
  });

  test('demo strategies: a run that ended well traced every node it visited, a failed one none that it did not', () => {
    for (const { status, trace, nodesExecuted } of runs) {
      if (status === 'ok') expect(trace).toHaveLength(nodesExecuted);
      else expect(trace?.length).toBeLessThanOrEqual(nodesExecuted);
    }
  });

  // What the bench stores: figures of different versions are compared.
  test('demo strategies: traces have 26 entries on average, of the 200 that are kept at most, of 17 kinds', () => {
    const lengths = runs.map(({ trace }) => Math.min(200, trace?.length ?? 0));
    expect(lengths.reduce((sum, length) => sum + length, 0) / runs.length).toBeCloseTo(26.4, 0);
    expect(new Set(runs.flatMap(({ trace }) => trace?.slice(0, 200) ?? []).map(({ type }) => type)).size).toBe(17);
  });
});
