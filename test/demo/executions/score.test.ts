import { expect, test } from 'vitest';
import { score } from '../../../demo/executions/score.ts';
import type { Rule, Statement, Strategy } from '../../../demo/executions/strategies.ts';
import type { TraceEntry } from '../../../producers/index.ts';

/** Runs a strategy on `data`, and gives what came of it, a failure included. */
function run(strategy: Partial<Strategy>, data: Record<string, unknown> = {}) {
  const result = { trace: [] as TraceEntry[], nodesExecuted: undefined, points: null, caseName: null };
  let error: unknown;
  try {
    score({ id: 'x', name: 'x', version: 1, rules: [], ...strategy }, data, result);
  } catch (thrown) {
    error = thrown;
  }
  const summary = result.trace.map(
    ({ type, value, branch }) => `${type}=${JSON.stringify(value)}${branch === undefined ? '' : ` ${branch}`}`,
  );
  return { ...result, error, summary };
}

const always = (...body: Statement[]): Rule => ['always', [true, ...body]];

test('score: a rule is traced after its condition and before what it does', () => {
  const { trace, points, caseName } = run(
    {
      rules: [
        [
          'gold',
          [
            ['>=', 'data.score', 9],
            ['assign_points', ['*', 'data.score', 2], 'GOLD'],
          ],
        ],
      ],
    },
    { score: 10 },
  );
  expect(trace).toEqual([
    { nodeId: 'gold.compare.0.field.0', type: 'field', value: 10, path: 'data.score' },
    { nodeId: 'gold.compare.0.literal.1', type: 'literal', value: 9 },
    { nodeId: 'gold.compare.0', type: 'compare', value: true },
    { nodeId: 'gold', type: 'rule', value: true, branch: 'match' },
    { nodeId: 'gold.assign_points.0.arith.0.field.0', type: 'field', value: 10, path: 'data.score' },
    { nodeId: 'gold.assign_points.0.arith.0.literal.1', type: 'literal', value: 2 },
    { nodeId: 'gold.assign_points.0.arith.0', type: 'arith', value: 20 },
    { nodeId: 'gold.assign_points.0', type: 'assign_points', value: 20, branch: 'match' },
  ]);
  expect({ points, caseName }).toEqual({ points: 20, caseName: 'GOLD' });
});

test.each<[string, Rule, string]>([
  ['an else-if', ['r', [false], [true, ['return']]], 'rule=true elseif:0'],
  ['an else', ['r', [false], ['else', ['return']]], 'rule=false else'],
  ['nothing', ['r', [false]], 'rule=false skip'],
])('score: a rule whose condition does not hold takes %s', (_what, rule, entry) => {
  expect(run({ rules: [rule] }).summary).toContain(entry);
});

test.each([
  ['and', [true, false, true], ['literal=true', 'literal=false', 'and=false short_circuit:1']],
  ['and', [true, true], ['literal=true', 'literal=true', 'and=true']],
  ['or', [true, false], ['literal=true', 'or=true short_circuit:0']],
  ['or', [false, false], ['literal=false', 'literal=false', 'or=false']],
] as const)('score: %s of %j names the operand that left others unread', (operator, operands, entries) => {
  expect(run({ rules: [['r', [[operator, ...operands]]]] }).summary.slice(0, -1)).toEqual(entries);
});

test('score: what extends the built-in works on its result, unless a rule before it has a veto', () => {
  const extension: Rule[] = [always(['set_points', ['*', 'parent.points', 5]])];
  expect(run({ extension }, { contributions: 9 })).toMatchObject({ points: 10, caseName: 'STEADY' });
  expect(run({ rules: [always(['veto', 'NO'])], extension })).toMatchObject({ points: 0, caseName: 'NO' });
});

test('score: a failure names the node, and the trace before it is kept', () => {
  const { error, summary, nodesExecuted } = run(
    { rules: [always(['assign_points', ['/', 1, 'data.attempts'], 'AVERAGE'])] },
    { attempts: 0 },
  );
  expect(error).toMatchObject({ code: 'DSL_ARITH_DIV_BY_ZERO', nodeId: 'always.assign_points.0.arith.0' });
  expect(summary).toEqual(['literal=true', 'rule=true match', 'literal=1', 'field=0']);
  expect(nodesExecuted).toBe(6);
});

test('score: a run that needs more than its nodes stops there', () => {
  const { error, nodesExecuted } = run({ rules: [always(['repeat', 1_000_000, ['set_data', 1, 'x']])] });
  expect(error).toMatchObject({ code: 'DSL_LIMIT_EXCEEDED', message: 'the run needs more than its 1000 nodes' });
  expect(nodesExecuted).toBe(1_000);
});
