import { describe, expect, test } from 'vitest';
import {
  arith,
  assignPoints,
  call,
  compare,
  field,
  literal,
  repeat,
  set,
  setCaseName,
  setPoints,
} from '../../../demo/scoring/node-drafts.ts';
import { ScoringError } from '../../../demo/scoring/scoring-error.ts';
import { always, full, run, summary } from '../../support/run-strategy.ts';

describe('interpreter: failures', () => {
  test('interpreter: a division by zero names the failing node and leaves the trace so far', () => {
    const { error, trace, progress } = run(
      full([always(assignPoints(arith(literal(1), '/', field('data.attempts')), 'AVERAGE'))]),
      { attempts: 0 },
    );
    expect(error).toBeInstanceOf(ScoringError);
    expect(error).toMatchObject({ code: 'DSL_ARITH_DIV_BY_ZERO', nodeId: 'always.assign_points.0.arith.0' });
    expect(summary(trace)).toEqual(['literal=true', 'rule=true match', 'literal=1', 'field=0']);
    expect(progress.nodesVisited).toBe(6);
  });

  const setX = (expression: ReturnType<typeof literal>) => set('set_data', 'x', expression);
  test.each([
    [
      'DSL_ARITH_TYPE_MISMATCH',
      setX(arith(literal('1'), '+', literal(1))),
      { op: '+', leftType: 'string', rightType: 'number' },
    ],
    [
      'DSL_ARITH_TYPE_MISMATCH',
      setX(arith(literal(1), '*', literal(true))),
      { op: '*', leftType: 'number', rightType: 'boolean' },
    ],
    [
      'DSL_COMPARE_TYPE_MISMATCH',
      setX(compare(field('data.missing'), '<', literal(1))),
      { op: '<', leftType: 'null', rightType: 'number' },
    ],
    [
      'DSL_COMPARE_TYPE_MISMATCH',
      setX(compare(field('data.list'), '>', literal('a'))),
      { op: '>', leftType: 'list', rightType: 'string' },
    ],
    ['DSL_ASSIGN_POINTS_NOT_NUMBER', assignPoints(literal(true), null), { valueType: 'boolean' }],
    [
      'DSL_ASSIGN_POINTS_NOT_NUMBER',
      assignPoints(arith(literal(1e308), '*', literal(10)), null),
      { valueType: 'Infinity' },
    ],
    ['DSL_SET_POINTS_NOT_NUMBER', setPoints(literal('7')), { valueType: 'string' }],
    ['DSL_SET_CASE_NAME_NOT_STRING', setCaseName(literal(7)), { valueType: 'number' }],
    ['DSL_REPEAT_COUNT_NOT_NUMBER', repeat(literal('7'), []), { valueType: 'string' }],
    ['DSL_FIELD_NOT_PRECOMPUTED', setX(field('user.avg_time')), { path: 'user.avg_time' }],
    ['DSL_FUNC_ARITY_MISMATCH', setX(call('clamp', literal(1))), { name: 'clamp', expected: 3, actual: 1 }],
    ['DSL_FUNC_CALL_FAILED', setX(call('int', literal('abc'))), { name: 'int', argTypes: ['string'] }],
    [
      'DSL_FUNC_CALL_FAILED',
      setX(call('clamp', literal(1), literal(null), literal(2))),
      { name: 'clamp', argTypes: ['number', 'null', 'number'] },
    ],
  ])('interpreter: %s says what it met', (code, statement, params) => {
    const { error } = run(full([always(statement)]), { list: [] });
    expect(error).toMatchObject({ name: 'ScoringError', code, params });
  });

  test.each([
    ['DSL_UNKNOWN_STATEMENT', { id: 'odd', type: 'launch' }],
    ['DSL_UNKNOWN_EXPRESSION', { id: 'x', type: 'set_points', points: { id: 'odd', type: 'query' } }],
    ['DSL_ARITH_OP_NOT_ALLOWED', { id: 'x', type: 'set_points', points: { id: 'odd', type: 'arith', op: '**' } }],
    ['DSL_COMPARE_OP_NOT_ALLOWED', { id: 'x', type: 'set_points', points: { id: 'odd', type: 'compare', op: '~' } }],
    [
      'DSL_FUNC_NAME_NOT_ALLOWED',
      { id: 'x', type: 'set_points', points: { id: 'odd', type: 'func_call', name: 'eval' } },
    ],
  ])('interpreter: %s is met by programs that no compiler has seen', (code, statement) => {
    const one = { id: 'one', type: 'literal', value: 1 };
    const withOperands = JSON.parse(JSON.stringify(statement), (_, node) =>
      node?.id === 'odd' ? { ...node, left: one, right: one, args: [one] } : node,
    );
    const { error } = run(full([always(() => withOperands)]));
    expect(error).toMatchObject({ code, nodeId: 'odd' });
  });
});
