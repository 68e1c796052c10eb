import { describe, expect, test } from 'vitest';
import { arith, call, compare, field, literal, logic, not, rule, set } from '../../../demo/scoring/node-drafts.ts';
import { always, full, run, summary } from '../../support/run-strategy.ts';

describe('interpreter: expressions', () => {
  const resolve = (expression: ReturnType<typeof literal>) => {
    const { result } = run(full([always(set('set_callback_data', 'value', expression))]));
    return Object.values(result?.callbackData ?? {})[0];
  };

  test.each([
    ['+', 9],
    ['-', 5],
    ['*', 14],
    ['/', 3.5],
    ['min', 2],
    ['max', 7],
  ] as const)('interpreter: 7 %s 2 is %d', (op, expected) => {
    expect(resolve(arith(literal(7), op, literal(2)))).toBe(expected);
  });

  test.each([
    ['==', false],
    ['!=', true],
    ['<', true],
    ['<=', true],
    ['>', false],
    ['>=', false],
  ] as const)('interpreter: 1 %s 2 is %s, and so it is for texts', (op, expected) => {
    expect(resolve(compare(literal(1), op, literal(2)))).toBe(expected);
    expect(resolve(compare(literal('a'), op, literal('b')))).toBe(expected);
  });

  test('interpreter: equality takes any two types and converts none', () => {
    expect(resolve(compare(literal('1'), '==', literal(1)))).toBe(false);
    expect(resolve(compare(field('data.missing'), '==', literal(null)))).toBe(true);
  });

  test('interpreter: int cuts off fractions and reads whole numbers from text', () => {
    expect(resolve(call('int', literal(-2.9)))).toBe(-2);
    expect(resolve(call('int', literal(' 12 ')))).toBe(12);
  });

  test('interpreter: clamp keeps a value within its bounds', () => {
    const clamp = (value: number) => resolve(call('clamp', literal(value), literal(0), literal(30)));
    expect([clamp(-1), clamp(12), clamp(31)]).toEqual([0, 12, 30]);
  });

  test.each([
    ['and', [true, false, true], ['literal=true', 'literal=false', 'and=false short_circuit:1']],
    ['and', [true, false], ['literal=true', 'literal=false', 'and=false']],
    ['and', [true, 1], ['literal=true', 'literal=1', 'and=true']],
    ['or', [true, false], ['literal=true', 'or=true short_circuit:0']],
    ['or', [false, 0], ['literal=false', 'literal=0', 'or=false']],
  ] as const)('interpreter: %s of %j names the argument that left others unread', (type, args, expected) => {
    const strategy = full([rule({ id: 'rule', condition: logic(type, ...args.map(literal)), body: [] })]);
    expect(summary(run(strategy).trace).slice(0, -1)).toEqual(expected);
  });

  test('interpreter: not turns a condition around', () => {
    expect(resolve(not(field('data.missing')))).toBe(true);
  });
});
