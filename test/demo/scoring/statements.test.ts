import { describe, expect, test } from 'vitest';
import type { TraceEntry } from '../../../demo/scoring/evaluation.ts';
import {
  arith,
  assignPoints,
  compare,
  endPhase,
  field,
  literal,
  rule,
  set,
} from '../../../demo/scoring/node-drafts.ts';
import { always, full, run, summary } from '../../support/run-strategy.ts';

describe('interpreter: rules', () => {
  test('interpreter: a matching rule is traced after its condition and before its body', () => {
    const { result, trace } = run(
      full([
        rule({
          id: 'gold',
          condition: compare(field('data.score'), '>=', literal(9)),
          body: [assignPoints(literal(7), 'GOLD')],
        }),
      ]),
      { score: 10 },
    );
    expect(trace).toEqual([
      { nodeId: 'gold.compare.0.field.0', type: 'field', value: 10, path: 'data.score' },
      { nodeId: 'gold.compare.0.literal.1', type: 'literal', value: 9 },
      { nodeId: 'gold.compare.0', type: 'compare', value: true },
      { nodeId: 'gold', type: 'rule', value: true, branch: 'match' },
      { nodeId: 'gold.assign_points.0.literal.0', type: 'literal', value: 7 },
      { nodeId: 'gold.assign_points.0', type: 'assign_points', value: 7, branch: 'match' },
    ]);
    expect(result).toEqual({ points: 7, caseName: 'GOLD', callbackData: null, nodesVisited: 6 });
  });

  test('interpreter: the shortest scoring program has four entries', () => {
    expect(run(full([always(assignPoints(literal(7), null))])).trace).toHaveLength(4);
  });

  test('interpreter: entries are appended to what the trace holds already', () => {
    const trace: TraceEntry[] = [{ nodeId: 'before', type: 'literal', value: 1 }];
    run(full([always()]), {}, { trace });
    expect(trace.map(({ nodeId }) => nodeId)).toEqual(['before', 'always.literal.0', 'always']);
  });

  test.each([
    [1, 'A', 'true match'],
    [2, 'B', 'true elseif:0'],
    [3, 'C', 'true elseif:1'],
    [4, 'D', 'false else'],
  ])('interpreter: of the arms the first that holds is taken, %i gives case %s', (arm, caseName, entry) => {
    const isArm = (value: number) => compare(field('data.arm'), '==', literal(value));
    const { result, trace } = run(
      full([
        rule({
          id: 'arms',
          condition: isArm(1),
          body: [assignPoints(literal(1), 'A')],
          elseIf: [
            { condition: isArm(2), body: [assignPoints(literal(2), 'B')] },
            { condition: isArm(3), body: [assignPoints(literal(3), 'C')] },
          ],
          else: [assignPoints(literal(4), 'D')],
        }),
      ]),
      { arm },
    );
    const rules = trace.filter(({ type }) => type === 'rule');
    expect(result).toMatchObject({ points: arm, caseName });
    expect(rules.map(({ value, branch }) => `${value} ${branch}`)).toEqual([entry]);
  });

  test('interpreter: the first assigned points end the program', () => {
    const second = rule({ id: 'second', condition: literal(true), body: [assignPoints(literal(2), 'SECOND')] });
    const { result, trace } = run(full([always(assignPoints(literal(1), 'FIRST')), second]));
    expect(result).toMatchObject({ points: 1, caseName: 'FIRST' });
    expect(trace.some(({ nodeId }) => nodeId?.startsWith('second'))).toBe(false);
  });

  test('interpreter: the default runs when no rule matched', () => {
    const skipped = rule({ id: 'skipped', condition: literal(false), body: [] });
    const { result, trace } = run(full([skipped], [assignPoints(literal(3), 'DEFAULT')]));
    expect(result).toMatchObject({ points: 3, caseName: 'DEFAULT' });
    expect(summary(trace).slice(0, 2)).toEqual(['literal=false', 'rule=false skip']);
  });

  test('interpreter: a rule that matched keeps the default from running, points or not', () => {
    const { result } = run(full([always()], [assignPoints(literal(3), 'DEFAULT')]));
    expect(result).toMatchObject({ points: 0, caseName: null });
  });

  test('interpreter: a return ends the program with 0 points and no case', () => {
    const { result, trace } = run(full([always(endPhase(), assignPoints(literal(3), 'LATE'))]));
    expect(result).toMatchObject({ points: 0, caseName: null });
    expect(summary(trace).at(-1)).toBe('return=null halt');
  });

  test('interpreter: written data is read back, callback data handed out, and the event left as it came', () => {
    const data = Object.freeze({ size: 2 });
    const { result } = run(
      full([
        always(
          set('set_data', 'size', arith(field('data.size'), '*', literal(10))),
          set('set_callback_data', 'size', field('data.size')),
          set('set_callback_data', 'user', field('externalUserId')),
        ),
      ]),
      data,
    );
    expect(result?.callbackData).toEqual({ size: 20, user: 'user-1' });
    expect(data).toEqual({ size: 2 });
  });

  test('interpreter: keys of Object.prototype are keys like any other', () => {
    const strategy = full([
      always(
        set('set_callback_data', 'before', field('data.constructor')),
        set('set_data', '__proto__', literal(1)),
        set('set_callback_data', '__proto__', field('data.__proto__')),
      ),
    ]);
    const { result } = run(strategy);
    expect(Object.entries(result?.callbackData ?? {})).toEqual([
      ['before', null],
      ['__proto__', 1],
    ]);
  });
});
