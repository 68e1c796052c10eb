import { expect, test } from 'vitest';
import { parseRepair, repair } from '../../dead-letters/repairs.ts';

const apply = (payload: string, ...names: string[]) => repair(payload, names.map(parseRepair));

test('repair: without any, the text stays as it is to the last character', () => {
  expect(apply('{ "n": 1.50 }')).toBe('{ "n": 1.50 }');
});

test('repair: strip-nul cleans texts and keys at any depth, and leaves numbers their digits', () => {
  expect(apply('{"a":["x\\u0000"],"k\\u0000":{"s":"\\ud800"},"n":12345678901234567890}', 'strip-nul')).toBe(
    '{"a":["x\uFFFD"],"k\uFFFD":{"s":"\uFFFD"},"n":12345678901234567890}',
  );
});

test('repair: drop takes a field away, truncate cuts one, and both leave a record without it alone', () => {
  expect(apply('{"a":1,"b":"text"}', 'drop:a', 'truncate:b:2')).toBe('{"b":"te"}');
  expect(apply('{"c":true}', 'drop:a', 'truncate:b:2')).toBe('{"c":true}');
  expect(apply('[1]', 'drop:a')).toBe('[1]');
});

test.each(['', 'strip', 'drop:', 'drop:a b', 'truncate:a', 'truncate:a:-1', 'truncate:a:x'])(
  'repair: %j is refused',
  (name) => {
    expect(() => parseRepair(name)).toThrow(/accepted: strip-nul/);
  },
);
