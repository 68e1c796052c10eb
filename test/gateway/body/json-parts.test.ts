import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  hasTooManyValues,
  isHarmless,
  maxValues,
  parseJsonParts,
  TooManyValuesError,
} from '../../../gateway/body/json-parts.ts';
import { Refusal } from '../../../gateway/http/refusal.ts';

const never = { isOver: false, next: () => Promise.resolve() };

function parts(text: string, within = '[', maxParts = 1_000) {
  return parseJsonParts(Buffer.from(text), { within, what: 'records', maxParts, slice: never });
}

/** The value, with its parts where they were. */
async function whole(text: string): Promise<unknown> {
  const { outline, parts: records } = await parts(text);
  return Array.isArray(outline) ? records : outline;
}

const refusal = (code: string, message: RegExp | string) => ({
  name: 'Refusal',
  code,
  message: message instanceof RegExp ? expect.stringMatching(message) : message,
});

const spaced = fc
  .tuple(fc.json({ maxDepth: 4 }), fc.constantFrom('', ' ', '\n\t'))
  .map(([json, space]) => space + json + space);

test('JSON in parts: any list and any other value is what JSON.parse makes of it', async () => {
  const texts = fc.oneof(
    spaced,
    fc.array(spaced, { maxLength: 5 }).map((records) => ` [${records.join(',')}]\n`),
  );
  await fc.assert(
    fc.asyncProperty(texts, async (text) => {
      expect(await whole(text)).toEqual(JSON.parse(text));
    }),
  );
});

test('JSON in parts: what JSON.parse refuses is refused, wherever it is broken', async () => {
  const broken = fc
    .tuple(
      fc.array(spaced, { maxLength: 4 }).map((records) => `[${records.join(',')}]`),
      fc.nat(),
      fc.nat({ max: 2 }),
      fc.constantFrom('', ',', '[', ']', '{', '}', '"', '\\', ':', '1', ' ', '\u0001'),
    )
    .map(([text, at, removed, put]) => {
      const place = at % (text.length + 1);
      return text.slice(0, place) + put + text.slice(place + removed);
    });
  const isJson = (text: string): boolean => {
    try {
      JSON.parse(text);
      return true;
    } catch {
      return false;
    }
  };
  await fc.assert(
    fc.asyncProperty(broken, async (text) => {
      if (isJson(text)) expect(await whole(text)).toEqual(JSON.parse(text));
      else await expect(whole(text)).rejects.toMatchObject({ name: 'Refusal', code: 'invalid-json' });
    }),
    { numRuns: 500 },
  );
});

test('JSON in parts: a list deep within is cut where it was asked for, and nowhere else', async () => {
  const text = '{"a":[{"b":[{"c":["x",{"d":[1,2]}],"e":[7]}]}],"f":[[{"g":[5]}]]}';
  const { outline, parts: found } = await parts(text, '{[{[{[');
  expect(found).toEqual(['x', { d: [1, 2] }, 7]);
  expect(outline).toEqual({ a: [{ b: [{ c: [0, 1], e: [2] }] }], f: [[{ g: [5] }]] });
});

test('JSON in parts: millions of records are refused before one of them is parsed', async () => {
  const text = `[${'{},'.repeat(3_000_000)}{}]`;
  await expect(parts(text, '[', 100_000)).rejects.toMatchObject(
    refusal('too-large', 'The body has more than 100000 records; send them in several bodies'),
  );
});

test('JSON in parts: a record of too many values costs itself, and says how to send it', async () => {
  const many = `{"input":[${'{},'.repeat(maxValues)}{}]}`;
  const { parts: records } = await parts(`[1,${many},2]`);
  expect([records[0], records[2]]).toEqual([1, 2]);
  expect(records[1]).toBeInstanceOf(TooManyValuesError);
  await expect(parts(many)).rejects.toMatchObject(
    refusal('too-large', /^The body has more than 250000 JSON values; send what is large in it as text$/),
  );
  await expect(parts(`{"a":[${'1,'.repeat(maxValues)}1],"b":[{"c":[{"d":[{}]}]}]}`, '{[{[{[')).rejects.toMatchObject(
    refusal('too-large', /JSON values.*, outside of its records$/),
  );
});

test('JSON in parts: one long text is one value, whatever is in it', () => {
  expect(hasTooManyValues(Buffer.from(JSON.stringify('[{,"\\'.repeat(500_000))))).toBe(false);
  expect(hasTooManyValues(Buffer.from(`[${'1,'.repeat(maxValues - 2)}1]`))).toBe(false);
  expect(hasTooManyValues(Buffer.from(`[${'1,'.repeat(maxValues)}1]`))).toBe(true);
  expect(hasTooManyValues(Buffer.from('['.repeat(2 * maxValues + 2)))).toBe(true);
  // What is not looked at cannot have too many.
  expect(isHarmless(Buffer.from(`[${'1,'.repeat(maxValues - 2)}1]`))).toBe(true);
});

test('JSON in parts: brackets without an end are refused, however many', async () => {
  await expect(parts('['.repeat(5_000_000))).rejects.toBeInstanceOf(Refusal);
  await expect(parts('{"a":'.repeat(1_000_000))).rejects.toBeInstanceOf(Refusal);
});

test('JSON in parts: others have a turn between any two pieces', async () => {
  let turns = 0;
  const slice = {
    isOver: true,
    async next() {
      turns += 1;
    },
  };
  const text = `[${'{"a":1},'.repeat(20_000)}{}]`;
  await parseJsonParts(Buffer.from(text), { within: '[', what: 'records', maxParts: 100_000, slice });
  expect(turns).toBeGreaterThan(20_000);
});
