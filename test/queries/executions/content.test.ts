import { expect, test } from 'vitest';
import { parseContent } from '../../../queries/executions/content.ts';
import { UsageError } from '../../../shared/platform/errors.ts';

test.each([
  ['10', '=', 10],
  ['= 10', '=', 10],
  ['>=-1.5e3', '>=', -1_500],
  ['<= 0', '<=', 0],
  [' != true', '!=', true],
  ['null', '=', null],
  ['hello world', '=', 'hello world'],
  ['"10"', '=', '10'],
  ['"">', '=', '"">'],
  ['""', '=', ''],
  ['> b', '>', 'b'],
  ["' || true || '", '=', "' || true || '"],
])('content: %j is %s %j', (gave, operator, value) => {
  expect(parseContent({ node: 'n', gave })).toEqual({ node: { nodeId: 'n', gave: { operator, value } } });
});

test.each([
  ['streak', ['streak'], null],
  ['user.streak >= 4', ['user', 'streak'], { operator: '>=', value: 4 }],
  ['user.0.name=Ada', ['user', '0', 'name'], { operator: '=', value: 'Ada' }],
  ['/a.b/c~1d/e~0f = x = y', ['a.b', 'c/d', 'e~f'], { operator: '=', value: 'x = y' }],
  ['$.a ? (@ = 1) <2', ['$', 'a ? (@'], { operator: '=', value: '1) <2' }],
  ['a = "= 1"', ['a'], { operator: '=', value: '= 1' }],
])('content: the field %j is %j', (input, path, is) => {
  expect(parseContent({ input })).toEqual({ input: { path, is } });
});

test('content: nothing is nothing, and a node alone is any value', () => {
  expect(parseContent({})).toBeNull();
  expect(parseContent({ node: 'n' })).toEqual({ node: { nodeId: 'n', gave: null } });
});

test.each([
  [{ gave: '1' }],
  [{ node: 'n', gave: '' }],
  [{ node: 'n', gave: '>=' }],
  [{ node: 'n', gave: '[1]' }],
  [{ node: 'n', gave: '{"a":1}' }],
  [{ node: 'n', gave: '< true' }],
  [{ node: 'n', gave: '> null' }],
  [{ node: 'a\0' }],
  [{ node: '\ud800' }],
  [{ node: 'n', gave: '"\\u0000"' }],
  [{ node: 'n', gave: '"\\ud800"' }],
  [{ node: 'n', gave: '1e400' }],
  [{ node: 'n', gave: '== 10' }],
  [{ input: 'a <= -1e999' }],
  [{ input: 'a == 5' }],
  [{ input: 'a => 5' }],
  [{ input: 'a <> 5' }],
  [{ input: '' }],
  [{ input: '= 4' }],
  [{ input: 'a..b = 4' }],
  [{ input: 'a =' }],
  [{ input: '/' }],
  [{ input: Array.from({ length: 33 }, () => 'a').join('.') }],
])('content: %j is refused', (texts) => {
  expect(() => parseContent(texts)).toThrow(UsageError);
});
