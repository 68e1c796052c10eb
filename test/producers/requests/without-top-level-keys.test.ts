import fc from 'fast-check';
import { expect, test } from 'vitest';
import { withoutTopLevelKeys } from '../../../producers/index.ts';
import { findJsonMembers } from '../../../shared/platform/json-members.ts';

const names = ['service_tier', 'background'];
const strip = (text: string) => withoutTopLevelKeys(text, names);

test.each<[what: string, text: string, left: string]>([
  ['both keys', '{"model":"m","service_tier":"flex","background":true}', '{"model":"m"}'],
  ['the first key', '{"background":true,"a":1}', '{"a":1}'],
  ['the last key', '{"a":1,"background":true}', '{"a":1}'],
  ['the only key', '{"background":true}', '{}'],
  ['all keys', ' { "background" : true , "service_tier" : [ ] } ', ' {  } '],
  ['a key that is there twice', '{"background":1,"a":2,"background":3}', '{"a":2}'],
  ['a key with an object in it', '{"service_tier":{"a":[{"b":"}"}]},"x":1}', '{"x":1}'],
  ['a key written with escapes', '{"backgr\\u006fund":true,"a":1}', '{"a":1}'],
  [
    'numbers of any length',
    '{"background":true,"n":9007199254740993,"x":1.50e+10}',
    '{"n":9007199254740993,"x":1.50e+10}',
  ],
  ['the order of the others', '{"z":1,"background":0,"a":2,"m":3}', '{"z":1,"a":2,"m":3}'],
  [
    'the lines of the others',
    '{\n  "z": 1,\n  "background": false,\n  "a": "\\u00e9"\n}\n',
    '{\n  "z": 1,\n  "a": "\\u00e9"\n}\n',
  ],
])('strip: %s', (_what, text, left) => {
  expect(strip(text)).toBe(left);
});

test.each<[what: string, text: string]>([
  ['a body without the keys', '{ "model": "m" }'],
  [
    'the names inside of values',
    '{"a":"background","b":{"service_tier":1},"c":["background"],"d":"\\"background\\":1"}',
  ],
  ['a list', '[{"background":true}]'],
  ['a text', '"background"'],
  ['no JSON at all', 'background=true'],
  ['nothing', ''],
  ['JSON that breaks off', '{"background":true,"a":"'],
  ['JSON with something behind it', '{"background":true} x'],
  ['a comma too many', '{"background":true,}'],
  ['a key without quotes', '{background:true}'],
  ['a number with a zero before it', '{"background":01}'],
  ['a line break inside of a text', '{"background":"\n"}'],
  ['a byte order mark', '\ufeff{"background":true}'],
  ['nesting deeper than anybody means', `{"background":${'['.repeat(20_000)}${']'.repeat(20_000)}}`],
])('strip: %s is left as it is', (_what, text) => {
  expect(strip(text)).toBe(text);
});

test('strip: names with characters that JSON escapes are found however they are written', () => {
  expect(withoutTopLevelKeys('{"a\\/b":1,"c":2}', ['a/b'])).toBe('{"c":2}');
  expect(withoutTopLevelKeys('{"a/b":1,"c":2}', ['a/b'])).toBe('{"c":2}');
  expect(withoutTopLevelKeys('{"a\\"b":1,"c":2}', ['a"b'])).toBe('{"c":2}');
  expect(withoutTopLevelKeys('{"a\\nb":1,"c":2}', ['a\nb'])).toBe('{"c":2}');
  expect(withoutTopLevelKeys('{"é":1,"c":2}', ['é'])).toBe('{"c":2}');
});

const key = fc.oneof(fc.constantFrom(...names, 'a', '__proto__', 'length', '', 'a"b', 'a/b', 'é\n'), fc.string());
const json = fc.dictionary(key, fc.jsonValue(), { noNullPrototype: true });
const space = fc.stringMatching(/^[ \n\r\t]{0,3}$/);

/** Writes JSON with spaces anywhere, and escapes where none are needed. */
function writeLoosely(value: unknown, gap: string, escapes: boolean): string {
  const text = (string: string): string =>
    escapes
      ? `"${[...string].map((c) => ([...JSON.stringify(c).slice(1, -1)].length === 1 && c.length === 1 ? `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}` : JSON.stringify(c).slice(1, -1))).join('')}"`
      : JSON.stringify(string);
  if (typeof value === 'string') return text(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const parts = Array.isArray(value)
    ? value.map((item) => writeLoosely(item, gap, escapes))
    : Object.entries(value).map(([name, item]) => `${text(name)}${gap}:${gap}${writeLoosely(item, gap, escapes)}`);
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  return `${open}${gap}${parts.join(`${gap},${gap}`)}${gap}${close}`;
}

test('strip: of any object all is left but the keys, in order and as it was written', () => {
  fc.assert(
    fc.property(
      json,
      space,
      fc.boolean(),
      fc.constantFrom(names, ['a/b', 'a"b', 'é\n']),
      (value, gap, escapes, keys) => {
        const kept = Object.entries(value).filter(([name]) => !keys.includes(name));
        const left = writeLoosely(Object.fromEntries(kept), gap, escapes);
        expect(withoutTopLevelKeys(writeLoosely(value, gap, escapes), keys)).toBe(left);
        expect(withoutTopLevelKeys(left, keys)).toBe(left);
      },
    ),
    { numRuns: 1_000 },
  );
});

test('strip: keys with escapes are told apart, also where the engine takes them for others', () => {
  // V8 13.6 has JSON.parse take a key for the one that followed in an earlier object, when the text of both begins alike.
  JSON.parse('{"first":1,"\\\\":2}');
  const text = '{"first":1,"\\u0061":2,"\\n":3}';
  expect(findJsonMembers(text)?.map(({ key: name }) => name)).toEqual(['first', 'a', '\n']);
  expect(withoutTopLevelKeys(text, ['\\'])).toBe(text);
  expect(withoutTopLevelKeys(text, ['a'])).toBe('{"first":1,"\\n":3}');
});

const fragments = fc.constantFrom(
  ...[
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '"a"',
    '"background"',
    '\\',
    '\\u00e9',
    '\\x',
    'true',
    'nul',
    'null',
    '-',
    '0',
  ],
  ...['01', '1', '1.', '.5', '1e', '1e5', ' ', '\n', '\0', '\u2028', '\ud800', 'x'],
);

test('members: a text is an object by the rules of JSON.parse, or there are none', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.array(fragments, { maxLength: 12 }).map((parts) => parts.join('')),
        fc.array(fragments, { maxLength: 8 }).map((parts) => `{"a":${parts.join('')}}`),
        fc.tuple(fc.json(), fragments, fc.nat(60)).map(([text, part, at]) => text.slice(0, at) + part + text.slice(at)),
        fc.json().map((text) => `{"a":${text}}`),
      ),
      (text) => {
        let parsed: unknown = null;
        try {
          parsed = JSON.parse(text);
        } catch {
          // no JSON
        }
        const isObject = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
        const members = findJsonMembers(text);
        expect(members !== null).toBe(isObject);
        if (members === null || !isObject) return;
        // Each string by itself: as a key of an object, V8 13.6 may take it for another one.
        for (const { key: name, start, value, end } of members) {
          expect(JSON.parse(text.slice(start, value).replace(/\s*:\s*$/, ''))).toBe(name);
          expect(() => JSON.parse(text.slice(value, end))).not.toThrow();
        }
        const edges = [0, ...members.flatMap(({ start, end }) => [start, end]), text.length];
        const between = edges.flatMap((edge, index) => (index % 2 === 0 ? [text.slice(edge, edges[index + 1])] : []));
        expect(between.join('').replaceAll(/\s/g, '')).toBe(`{${','.repeat(Math.max(0, members.length - 1))}}`);
      },
    ),
    { numRuns: 5_000 },
  );
});
