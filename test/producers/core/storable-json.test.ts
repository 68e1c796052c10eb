import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  copyPlainJson,
  hasUnstorableEscapes,
  type JsonBounds,
  toStorableJson,
  toStorableText,
} from '../../../producers/core/storable-json.ts';
import { anyValue, isStorableText, plainValue, textsOf } from '../../support/any-value.ts';
import { throwingGetter, unreadableObjects } from '../../support/unreadable.ts';

const bounds: JsonBounds = { depth: 8, nodes: 200, stringChars: 50 };

/** What is stored, as the database will see it, and what was said about it. */
function store(value: unknown, within: Partial<JsonBounds> = {}) {
  const notes: string[] = [];
  const stored = toStorableJson(value, { ...bounds, ...within }, (path, what) => notes.push(`${path}: ${what}`), 'in');
  const json: string | undefined = JSON.stringify(stored);
  return { stored, notes, json, parsed: json === undefined ? undefined : JSON.parse(json) };
}

const isPlainJson = (value: unknown, within: JsonBounds) => copyPlainJson(value, within) !== null;
const plain = (value: unknown, within: Partial<JsonBounds> = {}) => isPlainJson(value, { ...bounds, ...within });

const circular: Record<string, unknown> = { a: 1 };
circular['self'] = { again: circular };

test.each<[kind: string, value: unknown, stored: unknown, note: string]>([
  ['NUL', 'a\0b', 'a\uFFFDb', 'in: NUL or a lone surrogate replaced'],
  ['a lone high surrogate', 'a\ud800', 'a\uFFFD', 'in: NUL or a lone surrogate replaced'],
  ['a lone low surrogate', '\udfffb', '\uFFFDb', 'in: NUL or a lone surrogate replaced'],
  ['surrogates the wrong way round', '\udc00\ud800', '\uFFFD\uFFFD', 'in: NUL or a lone surrogate replaced'],
  ['NaN', Number.NaN, 'NaN', 'in: NaN stored as text'],
  ['Infinity', Number.POSITIVE_INFINITY, 'Infinity', 'in: Infinity stored as text'],
  ['-Infinity', Number.NEGATIVE_INFINITY, '-Infinity', 'in: -Infinity stored as text'],
  ['a BigInt', 12n, '12', 'in: BigInt stored as text'],
  ['a Date', new Date(0), '1970-01-01T00:00:00.000Z', 'in: Date stored as text'],
  ['an invalid Date', new Date(Number.NaN), 'Invalid Date', 'in: Date stored as text'],
  ['a function', () => 1, '[function]', 'in: function stored as its name'],
  ['a class', class Some {}, '[function]', 'in: function stored as its name'],
  ['a symbol', Symbol('s'), '[symbol]', 'in: symbol stored as its name'],
  ['an Error', new RangeError('too far'), 'RangeError: too far', 'in: Error stored as its message'],
  ['a Set', new Set([1, 'a']), [1, 'a'], 'in: Set stored as a list'],
  ['a Map', new Map([['k', 1]]), [['k', 1]], 'in: Map stored as a list of entries'],
  ['a Buffer', Buffer.from('abc'), '[3 bytes]', 'in: bytes left out'],
  ['a typed array', new Float64Array(2), '[16 bytes]', 'in: bytes left out'],
  ['a DataView', new DataView(new ArrayBuffer(5)), '[5 bytes]', 'in: bytes left out'],
  ['a cycle', circular, { a: 1, self: { again: '[circular]' } }, 'in.self.again: cycle cut'],
  ['a getter that throws', throwingGetter('a'), { a: '[unreadable: no]' }, 'in.a: could not be read'],
  ['NUL in a key', { 'k\0': 1 }, { 'k\uFFFD': 1 }, 'in key: NUL or a lone surrogate replaced'],
  ['a lone surrogate in a key', { '\ud800': 1 }, { '\uFFFD': 1 }, 'in key: NUL or a lone surrogate replaced'],
  ['toJSON with poison', { toJSON: () => Number.NaN }, 'NaN', 'in: NaN stored as text'],
  [
    'toJSON that throws',
    {
      toJSON: () => {
        throw new Error('not\0today');
      },
    },
    '[unreadable: not\uFFFDtoday]',
    'in: could not be read',
  ],
  ['toJSON that gives itself', Object.assign({}, { toJSON: itself }), '[circular]', 'in: cycle cut'],
])('storable: %s is replaced, and said so', (_kind, value, stored, note) => {
  const result = store(value);
  expect(result.parsed).toEqual(stored);
  expect(result.notes).toEqual([note]);
});

function itself<T>(this: T): T {
  return this;
}

test.each<[kind: string, value: unknown]>([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['a BigInt', 1n],
  ['a Date', new Date(0)],
  ['a function', () => 1],
  ['a symbol', Symbol('s')],
  ['a Map', new Map()],
  ['a Set', new Set()],
  ['an Error', new Error('x')],
  ['a typed array', new Uint8Array(1)],
  ['a boxed number', Object(1)],
  ['an instance of a class', new (class Some {})()],
  ['an object with toJSON', { toJSON: () => 1 }],
  ['a cycle', circular],
  ['a text beyond the bound', 'x'.repeat(51)],
  ['nesting beyond the bound', nested(9)],
  ['more values than the bound', Array.from({ length: 200 }, () => 0)],
])('plain: %s is not, alone and inside of others', (_kind, value) => {
  expect(plain(value)).toBe(false);
  expect(plain([1, { a: value }])).toBe(false);
});

test.each<[kind: string, value: unknown]>([
  ['null', null],
  ['undefined', undefined],
  ['a negative zero', -0],
  ['the longest text allowed', 'x'.repeat(50)],
  ['the deepest nesting allowed', nested(8)],
  ['as many values as are allowed', Array.from({ length: 199 }, () => 0)],
  ['an object without a prototype', Object.assign(Object.create(null), { a: 1 })],
  ['a key named __proto__', JSON.parse('{"__proto__":1}')],
  ['a list with holes', new Array(3)],
])('plain: %s is, and is stored as it is', (_kind, value) => {
  expect(plain(value)).toBe(true);
  const { json, notes } = store(value);
  expect(json).toBe(JSON.stringify(value));
  expect(notes).toEqual([]);
});

test.each([
  ['a key that is NUL', { '\0': 1 }, true],
  ['a lone surrogate', ['\ud83d'], true],
  ['a whole pair', ['😀'], false],
  ['a backslash before u0000', ['\\u0000'], true],
  ['nothing of the kind', ['\n\\ud\b'.slice(0, 2)], false],
])('escapes: %s', (_kind, value, found) => {
  expect(hasUnstorableEscapes(JSON.stringify(value))).toBe(found);
});

test('text: NUL and lone surrogates are replaced one by one, the rest stays', () => {
  expect(toStorableText('a\0\0b\ud800😀\n')).toBe('a\uFFFD\uFFFDb\uFFFD😀\n');
});

test.each(unreadableObjects())('storable: %s does not throw, alone or inside of others', (_kind, value) => {
  for (const input of [value, [value], { a: value }, new Map([[value, value]]), new Set([value])]) {
    const { json, parsed } = store(input);
    expect(json).toBeTypeOf('string');
    expect(textsOf(parsed).every(isStorableText)).toBe(true);
  }
});

test('storable: the message of an Error is cleaned like any text', () => {
  expect(store(new Error('a\0b')).parsed).toBe('Error: a\uFFFDb');
});

test('storable: a Date whose methods are replaced cannot smuggle NUL in', () => {
  const date = Object.assign(new Date(0), { toISOString: () => 'a\0', getTime: () => 0 });
  expect(isStorableText(String(store(date).parsed))).toBe(true);
});

test('storable: 10,000 levels of nesting end in a mark at the bound', () => {
  const { parsed, notes } = store(nested(10_000));
  expect(parsed).toEqual([[[[[[[['[too deep]']]]]]]]]);
  expect(notes).toEqual(['in[0][0][0][0][0][0][0][0]: cut, nested too deeply']);
});

test('storable: endless fresh objects from toJSON end at the depth bound', () => {
  const endless = (): object => ({ toJSON: endless });
  expect(store(endless()).parsed).toBe('[too deep]');
});

test('storable: of a list of a million, the bound is kept and the rest counted', () => {
  const { parsed, notes } = store(new Array(1_000_000).fill(7));
  expect(parsed).toEqual(new Array(199).fill(7));
  expect(notes).toEqual(['in: cut from 1000000 to 199 items']);
});

test('storable: of many keys, the bound is kept and the rest counted', () => {
  const { parsed, notes } = store(Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`k${n}`, n])));
  expect(Object.keys(parsed)).toHaveLength(199);
  expect(notes).toEqual(['in: cut from 1000 to 199 keys']);
});

test('storable: the bound of values is for the whole document', () => {
  const { parsed } = store(Array.from({ length: 50 }, () => [1, 2, 3, 4, 5, 6, 7, 8, 9]));
  expect(JSON.stringify(parsed).match(/\d/g)?.length).toBeLessThan(200);
});

test('storable: what is the same object twice, side by side, is no cycle', () => {
  const shared = { a: 1n };
  expect(store([shared, shared]).parsed).toEqual([{ a: '1' }, { a: '1' }]);
});

test('storable: a huge text is cut, marked, and its length told', () => {
  const { parsed, notes } = store({ a: 'x'.repeat(10_000_000) });
  expect(parsed).toEqual({ a: `${'x'.repeat(50)}…` });
  expect(notes).toEqual(['in.a: cut from 10000000 to 50 characters']);
});

test('storable: a cut through a surrogate pair leaves no half of it', () => {
  const { parsed } = store(`${'x'.repeat(49)}😀`);
  expect(parsed).toBe(`${'x'.repeat(49)}\uFFFD…`);
});

test.each<[string, unknown]>([
  ['an Error', new Error('m'.repeat(1_000))],
  ['a BigInt', 10n ** 1_000n],
  ['a key', { ['k'.repeat(1_000)]: 1 }],
])('storable: the text of %s has the same bound', (_kind, value) => {
  expect(Math.max(...textsOf(store(value).parsed).map((text) => text.length))).toBeLessThanOrEqual(51);
});

test('storable: a key named __proto__ is a key like any other', () => {
  const { json, stored } = store(JSON.parse('{"__proto__":{"polluted":1},"n":1e400}'));
  expect(json).toBe('{"__proto__":{"polluted":1},"n":"Infinity"}');
  expect((stored as { polluted?: number }).polluted).toBeUndefined();
});

test('storable: the input itself is not changed', () => {
  const input = { a: [1n, 'x\0'], b: new Date(0) };
  store(input);
  expect(input).toEqual({ a: [1n, 'x\0'], b: new Date(0) });
});

test('storable: whatever comes in, the outcome is plain JSON that can be stored', () => {
  fc.assert(
    fc.property(anyValue, fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 6 }), (value, nodes, depth) => {
      const { stored, json, parsed } = store(value, { nodes, depth });
      // A key named toJSON is not plain, since it may be a method; in the outcome it never is one.
      expect(isPlainJson(stored, { depth, nodes, stringChars: 1_000 }) || textsOf(stored).includes('toJSON')).toBe(
        true,
      );
      expect(json === undefined).toBe(stored === undefined);
      if (json === undefined) return;
      expect(JSON.stringify(parsed)).toBe(json);
      expect(textsOf(parsed).filter((text) => !isStorableText(text))).toEqual([]);
    }),
    { numRuns: 2_000 },
  );
});

test('storable: what is plain and free of bad escapes comes out as it went in, without a note', () => {
  let plainOnes = 0;
  fc.assert(
    fc.property(fc.oneof(plainValue, anyValue), (value) => {
      const json: string | undefined = JSON.stringify(isPlainJson(value, bounds) ? value : undefined);
      // A key without a value is not in the JSON, but it is in the object.
      if (json === undefined || hasUnstorableEscapes(json) || !textsOf(value).every(isStorableText)) return;
      plainOnes += 1;
      const result = store(value);
      expect(result.json).toBe(json);
      expect(result.notes).toEqual([]);
    }),
    { numRuns: 2_000 },
  );
  expect(plainOnes).toBeGreaterThan(100);
});

test('storable: a key that is too long is not plain, so that it is cut as a text is', () => {
  const value = { ['k'.repeat(51)]: 0 };
  expect(isPlainJson(value, bounds)).toBe(false);
  expect(store(value).json).toBe(`{"${'k'.repeat(50)}…":0}`);
  expect(isPlainJson({ ['k'.repeat(50)]: 0 }, bounds)).toBe(true);
});

test('escapes: none found means that every text can be stored', () => {
  fc.assert(
    fc.property(plainValue, (value) => {
      const json: string | undefined = JSON.stringify(value);
      if (json === undefined || hasUnstorableEscapes(json)) return;
      expect(textsOf(JSON.parse(json)).every(isStorableText)).toBe(true);
    }),
    { numRuns: 1_000 },
  );
});

function nested(levels: number): unknown {
  let value: unknown = [];
  for (let level = 1; level < levels; level += 1) value = [value];
  return value;
}

test('storable: a Map of a million entries is read only as far as there is room', () => {
  const map = new Map(Array.from({ length: 1_000_000 }, (_, index) => [index, index]));
  let read = 0;
  const counting = new (class extends Map<number, number> {
    override *[Symbol.iterator](): MapIterator<[number, number]> {
      for (const entry of super[Symbol.iterator]()) {
        read += 1;
        yield entry;
      }
      return undefined;
    }
  })(map);
  const changes: string[] = [];
  toStorableJson(
    counting,
    { depth: 64, nodes: 100, stringChars: 100 },
    (path, what) => changes.push(`${path}: ${what}`),
    'v',
  );
  expect(read).toBeLessThanOrEqual(101);
  expect(changes.join('; ')).toContain('cut from 1000000');
});

test('storable: objects that are not their properties leave a text and a note, not an empty object', () => {
  for (const value of [/a+/g, Promise.resolve(1), new ArrayBuffer(8)]) {
    const changes: string[] = [];
    const stored = toStorableJson(
      value,
      { depth: 64, nodes: 100, stringChars: 100 },
      (path) => changes.push(path),
      'v',
    );
    expect(stored).toBe(String(value));
    expect(changes).toEqual(['v']);
  }
});
