import { describe, expect, test } from 'vitest';
import { generateEvents } from '../../../demo/executions/events.ts';
import type { TraceEntry } from '../../../demo/scoring/evaluation.ts';
import { evaluate } from '../../../demo/scoring/interpreter.ts';
import { demoStrategies } from '../../../demo/scoring/strategies.ts';
import { describeFailure } from '../../../producers/index.ts';

/** Evaluates 5000 events by a clock that needs 10 µs for 64 nodes, so that the timeouts are the same on every machine. */
function evaluateAll() {
  const byId = new Map(demoStrategies.map((strategy) => [strategy.id, strategy]));
  let nowMs = 0;
  const now = () => {
    nowMs += 0.01;
    return nowMs;
  };
  return [...generateEvents({ count: 5000, seed: 1, strategies: demoStrategies })].map((event) => {
    const strategy = byId.get(event.strategyId);
    if (strategy === undefined) throw new Error(`no strategy ${event.strategyId}`);
    const trace: TraceEntry[] = [];
    const progress = { nodesVisited: 0 };
    try {
      const result = evaluate(strategy, event, { trace, now, progress });
      return { name: strategy.name, code: 'ok', result, entries: trace.length, nodesVisited: progress.nodesVisited };
    } catch (error) {
      const { errorCode: code } = describeFailure(error);
      return { name: strategy.name, code, result: null, entries: trace.length, nodesVisited: progress.nodesVisited };
    }
  });
}

/** All ids below a node, whatever its shape: an object with an id is a node. */
function nodeIds(node: unknown): string[] {
  if (typeof node !== 'object' || node === null) return [];
  const own = 'id' in node && typeof node.id === 'string' ? [node.id] : [];
  return [...own, ...Object.values(node).flatMap(nodeIds)];
}

describe('demo strategies', () => {
  const runs = evaluateAll();

  test('demo strategies: ids are UUIDs and none is used twice', () => {
    const ids = demoStrategies.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  test.each(demoStrategies.map((strategy) => [strategy.name, strategy] as const))(
    'demo strategies: in %s every node has an id of its own, and the program is plain JSON',
    (_, { program }) => {
      const ids = nodeIds(program);
      expect(new Set(ids).size).toBe(ids.length);
      expect(JSON.parse(JSON.stringify(program))).toEqual(program);
    },
  );

  test('demo strategies: type and parent agree with the program', () => {
    for (const { type, parentStrategyId, program } of demoStrategies) {
      expect(program.type).toBe(type);
      expect(parentStrategyId).toBe(program.type === 'DSL_EXTEND' ? program.parent : null);
    }
  });

  test('demo strategies: 90 to 95 of 100 runs end well', () => {
    const ok = runs.filter(({ code }) => code === 'ok').length;
    expect(ok / runs.length).toBeGreaterThan(0.9);
    expect(ok / runs.length).toBeLessThan(0.95);
  });

  test('demo strategies: every kind of failure they are made for occurs', () => {
    expect(new Set(runs.map(({ code }) => code))).toEqual(
      new Set([
        'ok',
        'DSL_ARITH_DIV_BY_ZERO',
        'DSL_ARITH_TYPE_MISMATCH',
        'DSL_ASSIGN_POINTS_NOT_NUMBER',
        'DSL_COMPARE_TYPE_MISMATCH',
        'DSL_LIMIT_EXCEEDED',
        'DSL_TIMEOUT',
        'DSL_UNEXPECTED',
      ]),
    );
  });

  test('demo strategies: each one scores, most of the time, in more than one way or with varying points', () => {
    for (const { name } of demoStrategies) {
      const own = runs.filter((run) => run.name === name);
      const scored = own.filter(({ code }) => code === 'ok');
      expect(scored.length / own.length, name).toBeGreaterThan(0.75);
      expect(new Set(scored.map(({ result }) => `${result?.caseName} ${result?.points}`)).size, name).toBeGreaterThan(
        2,
      );
    }
  });

  test('demo strategies: a run that ended well traced every node it visited, a failed one none that it did not', () => {
    for (const { code, entries, nodesVisited } of runs) {
      if (code === 'ok') expect(entries).toBe(nodesVisited);
      else expect(entries).toBeLessThanOrEqual(nodesVisited);
    }
  });
});
