import { describe, expect, test } from 'vitest';
import type { Rule, Statement } from '../../../demo/scoring/ast.ts';
import {
  arith,
  type Draft,
  extendStrategy,
  field,
  literal,
  rule,
  set,
  setCaseName,
  setPoints,
  veto,
} from '../../../demo/scoring/node-drafts.ts';
import { ScoringError } from '../../../demo/scoring/scoring-error.ts';
import { always, head, run, summary } from '../../support/run-strategy.ts';

describe('interpreter: extending a built-in', () => {
  const extend = (preRules: readonly Rule[], postRules: readonly Rule[], parent = 'default') =>
    extendStrategy({ ...head, preRules, parent, postRules });
  const thereafter = (...body: Draft<Statement>[]) => rule({ id: 'thereafter', condition: literal(true), body });

  test('interpreter: post-rules work on the points and the case of the parent', () => {
    const { result } = run(
      extend(
        [],
        [
          thereafter(
            setPoints(arith(field('parent.points'), '*', literal(5))),
            set('set_callback_data', 'parentCase', field('parent.case_name')),
            setCaseName(literal('DOUBLED')),
          ),
        ],
      ),
      { contributions: 9 },
    );
    expect(result).toMatchObject({ points: 10, caseName: 'DOUBLED', callbackData: { parentCase: 'STEADY' } });
  });

  test('interpreter: a veto in a pre-rule skips the parent and the post-rules', () => {
    const { result, trace } = run(extend([always(veto('BANNED'))], [thereafter(setPoints(literal(5)))]));
    expect(result).toMatchObject({ points: 0, caseName: 'BANNED' });
    expect(summary(trace)).toEqual(['literal=true', 'rule=true match', 'veto="BANNED" veto']);
  });

  test('interpreter: the parent sees what a pre-rule wrote', () => {
    const { result } = run(extend([always(set('set_data', 'contributions', literal(1)))], []), { contributions: 9 });
    expect(result).toMatchObject({ points: 1, caseName: 'NEWCOMER' });
  });

  test('interpreter: without rules of its own the parent decides and nothing is traced', () => {
    const { result, trace } = run(extend([], []), { contributions: 9 });
    expect(result).toEqual({ points: 2, caseName: 'STEADY', callbackData: null, nodesVisited: 0 });
    expect(trace).toEqual([]);
  });

  test('interpreter: a parent that fails or is unknown is no error of the rule language', () => {
    for (const strategy of [extend([always()], []), extend([always()], [], 'nobody')]) {
      const { error, trace } = run(strategy, { contributions: -1 });
      expect(error).toBeInstanceOf(Error);
      expect(error).not.toBeInstanceOf(ScoringError);
      expect(trace).toHaveLength(2);
    }
  });

  test('interpreter: the parent cannot be read before it has run', () => {
    const { error } = run(extend([always(set('set_data', 'x', field('parent.points')))], []));
    expect(error).toMatchObject({ code: 'DSL_FIELD_NOT_PRECOMPUTED', params: { path: 'parent.points' } });
  });
});
