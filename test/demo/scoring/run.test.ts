import { describe, expect, test } from 'vitest';
import { arith, assignPoints, field, fullStrategy, literal, repeat, set } from '../../../demo/scoring/node-drafts.ts';
import { always, full, head, run } from '../../support/run-strategy.ts';

describe('interpreter: limits', () => {
  const counting = (rounds: number, limits = {}) =>
    fullStrategy({
      ...head,
      limits,
      rules: [
        always(
          set('set_data', 'sum', literal(0)),
          repeat(literal(rounds), [set('set_data', 'sum', arith(field('data.sum'), '+', literal(1)))]),
          assignPoints(field('data.sum'), 'COUNTED'),
        ),
      ],
    });

  test('interpreter: a repeat runs its body as often as its count says', () => {
    const { result, trace } = run(counting(3));
    expect(result).toMatchObject({ points: 3, caseName: 'COUNTED', nodesVisited: trace.length });
    expect(trace.filter(({ nodeId }) => nodeId === 'always.repeat.1')).toEqual([
      { nodeId: 'always.repeat.1', type: 'repeat', value: 3 },
    ]);
  });

  test('interpreter: a repeat cuts fractions off, takes a negative count for 0 and ends with its phase', () => {
    expect(run(counting(2.9)).result?.points).toBe(2);
    expect(run(counting(-1)).result?.points).toBe(0);
    expect(run(full([always(repeat(literal(9), [assignPoints(literal(1), 'ONCE')]))])).trace).toHaveLength(6);
  });

  test('interpreter: an empty repeat ends at once however large its count', () => {
    const { result } = run(full([always(repeat(literal(1e300), []), assignPoints(literal(1), 'AFTER'))]));
    expect(result?.caseName).toBe('AFTER');
  });

  test('interpreter: a run that needs more than 1000 nodes stops there by default', () => {
    const { error, progress, trace } = run(counting(1_000_000));
    expect(error).toMatchObject({ code: 'DSL_LIMIT_EXCEEDED', params: { maxNodes: 1000 } });
    expect(progress.nodesVisited).toBe(1000);
    expect(trace.length).toBeLessThan(1000);
  });

  test('interpreter: a run that needs exactly its nodes is fine, one node less is not enough', () => {
    const needed = run(counting(5)).progress.nodesVisited;
    expect(run(counting(5, { maxNodes: needed })).error).toBeUndefined();
    const { error } = run(counting(5, { maxNodes: needed - 1 }));
    expect(error).toMatchObject({ code: 'DSL_LIMIT_EXCEEDED', nodeId: 'always.assign_points.2.field.0' });
  });

  test('interpreter: the clock is read at the start and once per 64 nodes', () => {
    let readings = 0;
    const now = () => {
      readings += 1;
      return 0;
    };
    const { progress } = run(counting(100), {}, { now });
    expect(readings).toBe(1 + Math.floor(progress.nodesVisited / 64));
  });

  test('interpreter: a run that needs more than its time stops at the next reading of the clock', () => {
    let nowMs = 1000;
    const now = () => {
      nowMs += 1;
      return nowMs;
    };
    const { error, progress, trace } = run(counting(1_000_000, { maxNodes: 1e9, timeoutMs: 2 }), {}, { now });
    expect(error).toMatchObject({ code: 'DSL_TIMEOUT', params: { timeoutMs: 2, elapsedMs: 3 } });
    expect(progress.nodesVisited).toBe(3 * 64);
    expect(trace.length).toBeGreaterThan(150);
  });

  test('interpreter: the time limit is 500 ms by default and may be used up to the end', () => {
    const elapsed = (elapsedMs: number) => {
      let nowMs = -elapsedMs;
      return () => {
        nowMs += elapsedMs;
        return nowMs === 0 ? 0 : elapsedMs;
      };
    };
    expect(run(counting(50), {}, { now: elapsed(500) }).error).toBeUndefined();
    expect(run(counting(50), {}, { now: elapsed(501) }).error).toMatchObject({ code: 'DSL_TIMEOUT' });
  });
});
