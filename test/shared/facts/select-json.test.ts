import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  maxElements,
  selectJson,
  someList,
  someObject,
  someText,
  toSelection,
  type Wanted,
} from '../../../shared/facts/select-json.ts';

const names = ['a', 'b', 'usage', 'prompt_tokens', 'choices', 'é', 'x"y', '__proto__', 'constructor', 'a b'];

/** What a parser makes of a text, and nothing of it that is not wanted. */
function selectByParser(text: string, wanted: Wanted): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return project(value, wanted);
}

function project(value: unknown, wanted: Wanted): unknown {
  if (typeof value === 'string') return wanted === true ? value : someText;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return isList(wanted) ? value.map((one) => project(one, wanted[0])) : someList;
  if (wanted === true || isList(wanted)) return someObject;
  const members = Object.entries(wanted).filter(([name]) => Object.hasOwn(value, name));
  return Object.fromEntries(
    members.map(([name, part]) => [name, project((value as Record<string, unknown>)[name], part)]),
  );
}

const isList = (wanted: Wanted): wanted is readonly [Wanted] => Array.isArray(wanted);

/** The text as it stands in a chunk: within a JSON string, its bytes as characters. Null: it has escapes with a code. */
function asInChunk(text: string): string | null {
  const inside = JSON.stringify(text).slice(1, -1);
  return /(?:^|[^\\])(?:\\\\)*\\u/.test(inside) ? null : Buffer.from(inside).toString('latin1');
}

/** What is selected, in every place that a text can be in, which must be the same. */
function select(text: string, wanted: Wanted): unknown {
  const selection = toSelection(wanted);
  const plain = selectJson(text, selection, { isEscaped: false });
  const escaped = asInChunk(text);
  if (escaped !== null) expect(selectJson(escaped, selection, { isEscaped: true })).toEqual(plain);
  return plain;
}

const key = fc.oneof(fc.constantFrom(...names), fc.string({ unit: 'binary', maxLength: 6 }));
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '"usage":{"prompt_tokens":5}',
    '\\"usage\\":{}',
    '\\',
    '\\\\',
    '"',
    '{}[],:',
    '"}],"usage":1',
    'data: {"a":1}\n\n',
    '\\u0022',
  ),
);
const { value: anyJson } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    text,
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(key, tie('value'), { maxKeys: 5, noNullPrototype: true }),
  ),
}));
const { wanted: anyWanted } = fc.letrec<{ wanted: Wanted }>((tie) => ({
  wanted: fc.oneof(
    { maxDepth: 4 },
    fc.constant<Wanted>(true),
    fc.tuple(tie('wanted')) as fc.Arbitrary<Wanted>,
    fc.dictionary(fc.constantFrom(...names.filter((name) => name !== '__proto__')), tie('wanted'), {
      maxKeys: 5,
      noNullPrototype: true,
    }) as fc.Arbitrary<Wanted>,
  ),
}));

/** Texts of one value: with spaces, with escapes where none is needed, with numbers in other digits. */
const anySpelling = fc.record({
  indent: fc.constantFrom('', ' ', '  ', '\t'),
  rewrite: fc.constantFrom<(text: string) => string>(
    (json) => json,
    (json) => json.replaceAll('/', '\\/'),
    (json) =>
      json.replace(/[a-z](?=[^"\\]*":)/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`),
    (json) => json.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
  ),
  around: fc.constantFrom('', ' ', '\n', '\r\n\t'),
});
type Spelling = typeof anySpelling extends fc.Arbitrary<infer T> ? T : never;

function spell(value: unknown, { indent, rewrite, around }: Spelling): string {
  const json = rewrite(JSON.stringify(value, null, indent));
  // An escape put into the escape before it may be none: then the text stays as it was.
  try {
    JSON.parse(json);
    return around + json + around;
  } catch {
    return around + JSON.stringify(value) + around;
  }
}

test('selection: of whatever JSON, spelled in any way, it is what a parser makes of the wanted parts', () => {
  fc.assert(
    fc.property(anyJson, anyWanted, anySpelling, (value, wanted, spelling) => {
      const json = spell(value, spelling);
      expect(select(json, wanted)).toEqual(selectByParser(json, wanted));
    }),
    { numRuns: 5_000 },
  );
});

test('selection: of several members of one name the last one counts, as with a parser', () => {
  const members = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'usage'), anyJson), { maxLength: 8 });
  fc.assert(
    fc.property(members, anyWanted, (entries, part) => {
      const json = `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`;
      const wanted = { a: part, usage: { a: part } };
      expect(select(json, wanted)).toEqual(selectByParser(json, wanted));
    }),
    { numRuns: 2_000 },
  );
});

test('selection: a text that somebody has changed anywhere never throws, and what a parser reads is the same', () => {
  const change = fc.record({
    at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    deleted: fc.nat(4),
    inserted: fc.constantFrom(
      '',
      '"',
      '\\',
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '0',
      '-',
      'e9',
      'null',
      ' ',
      '\\u0041',
      '\\x',
      '""',
    ),
  });
  fc.assert(
    fc.property(
      anyJson,
      anyWanted,
      anySpelling,
      fc.array(change, { minLength: 1, maxLength: 3 }),
      (value, wanted, spelling, changes) => {
        let json = spell(value, spelling);
        for (const { at, deleted, inserted } of changes) {
          const place = Math.floor(at * json.length);
          json = json.slice(0, place) + inserted + json.slice(place + deleted);
        }
        const selected = select(json, wanted);
        const parsed = selectByParser(json, wanted);
        if (parsed !== undefined) expect(selected).toEqual(parsed);
      },
    ),
    { numRuns: 5_000 },
  );
});

test('selection: a text that is cut says nothing, wherever that is', () => {
  const json = JSON.stringify({ a: [1, { b: 'x"\\' }], usage: { prompt_tokens: 5 } });
  for (let end = 0; end < json.length; end += 1) {
    expect(select(json.slice(0, end), { usage: { prompt_tokens: true } })).toBeUndefined();
  }
  expect(select(json, { usage: { prompt_tokens: true } })).toEqual({ usage: { prompt_tokens: 5 } });
});

test('selection: depth, long strings and lists of millions neither end it nor fill the memory', () => {
  const deep = 2_000_000;
  const nested = `{"x":${'['.repeat(deep)}${']'.repeat(deep)},"a":1}`;
  expect(select(nested, { a: true })).toEqual({ a: 1 });
  expect(select(`{"x":${'['.repeat(deep)},"a":1}`, { a: true })).toBeUndefined();
  const slashes = '\\'.repeat(4_000_000);
  expect(select(JSON.stringify({ x: slashes, a: 1 }), { a: true })).toEqual({ a: 1 });
  expect(select(JSON.stringify({ x: '"'.repeat(1_000_000), a: 1 }), { a: true })).toEqual({ a: 1 });
  expect(select(`{"a":[${'{},'.repeat(1_000_000)}{}]}`, { a: [{ b: true }] })).toBeUndefined();
  expect(select(`{"a":[${'0,'.repeat(maxElements - 1)}0]}`, { a: [true] })).toEqual({ a: Array(maxElements).fill(0) });
}, 60_000);
