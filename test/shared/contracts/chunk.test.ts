import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { chunkId, chunkVersion, producerNamePattern, spanChunkVersion } from '../../../shared/contracts/chunk.ts';
import { describeIssues, parseChunk } from '../../../shared/contracts/parse-chunk.ts';
import { anyValue } from '../../support/any-value.ts';

const aChunk = (overrides: object = {}) => ({
  v: 1,
  producer: 'web-1',
  epoch: 1_700_000_000_000,
  seq: 7,
  records: [{ a: 1 }, 'anything'],
  ...overrides,
});

test('chunk: this build writes version 1 where no record names a span', () => {
  expect(chunkVersion).toBe(1);
});

test('chunk: its id is made of what names it, without the colon that BullMQ forbids', () => {
  expect(chunkId({ ...aChunk(), life: '9f2c4e01ab' })).toBe('web-1.1700000000000.9f2c4e01ab.7');
  // Chunks of before, and of other languages.
  expect(chunkId(aChunk())).toBe('web-1.1700000000000.7');
});

test('chunk: different chunks have different ids, as long as names keep to their alphabet', () => {
  const name = fc.stringMatching(producerNamePattern);
  const life = fc.option(fc.stringMatching(/^[0-9a-f]{1,16}$/), { nil: undefined });
  const key = fc.record({ producer: name, epoch: fc.nat(), life, seq: fc.integer({ min: 1 }) });
  fc.assert(
    fc.property(key, key, (one, other) => {
      const parts = ({ producer, epoch, life, seq }: typeof one): string =>
        JSON.stringify([producer, epoch, life, seq]);
      const same = parts(one) === parts(other);
      expect(chunkId(one) === chunkId(other)).toBe(same);
      expect(chunkId(one)).not.toContain(':');
    }),
  );
});

test('chunk: one of our version is read, and its records are left alone', () => {
  expect(parseChunk(aChunk())).toEqual({ kind: 'chunk', chunk: aChunk() });
});

test('chunk: fields that are not ours are ignored', () => {
  expect(parseChunk(aChunk({ more: true }))).toEqual({ kind: 'chunk', chunk: aChunk() });
});

test('chunk: a life that is no text makes no chunk malformed', () => {
  expect(parseChunk(aChunk({ life: 'a1' }))).toMatchObject({ kind: 'chunk', chunk: { life: 'a1' } });
  expect(parseChunk(aChunk({ life: 5 }))).toMatchObject({ kind: 'chunk' });
});

test('chunk: version 2 is read, too: its records may name a span', () => {
  expect(spanChunkVersion).toBe(2);
  expect(parseChunk(aChunk({ v: 2 }))).toEqual({ kind: 'chunk', chunk: aChunk({ v: 2 }) });
});

test.each([5, 6, 1_000])('chunk: version %d is newer, whatever else is in it', (v) => {
  expect(parseChunk(aChunk({ v }))).toEqual({ kind: 'newer', version: v });
  expect(parseChunk({ v, shape: 'of the future' })).toEqual({ kind: 'newer', version: v });
});

test.each([0, -1, 1.5, 2.5, '1', '2', null, Number.NaN, Number.POSITIVE_INFINITY, true])(
  'chunk: version %j is malformed, not newer',
  (v) => {
    expect(parseChunk(aChunk({ v }))).toMatchObject({ kind: 'malformed', reason: expect.stringMatching(/^v: /) });
  },
);

test.each<[field: string, value: unknown]>([
  ['producer', undefined],
  ['producer', ''],
  ['producer', 'p'.repeat(201)],
  ['producer', 5],
  ['epoch', undefined],
  ['epoch', -1],
  ['epoch', 1.5],
  ['epoch', '1700000000000'],
  ['seq', undefined],
  ['seq', 0],
  ['seq', 1.5],
  ['seq', '7'],
  ['records', undefined],
  ['records', []],
  ['records', {}],
  ['records', 'text'],
  ['records', null],
])('chunk: with %s %j it is malformed, and the reason names the field', (field, value) => {
  expect(parseChunk(aChunk({ [field]: value }))).toEqual({
    kind: 'malformed',
    reason: expect.stringMatching(new RegExp(`^${field}: `)),
  });
});

test.each([null, undefined, 5, 'text', '', [], true])('chunk: %j is none', (data) => {
  expect(parseChunk(data)).toMatchObject({ kind: 'malformed' });
});

test('chunk: whatever a job holds, it is read without a throw, and a reason is given', () => {
  fc.assert(
    fc.property(fc.oneof(anyValue, fc.record({ v: fc.nat(4), records: anyValue }, { requiredKeys: [] })), (data) => {
      const parsed = parseChunk(data);
      if (parsed.kind === 'malformed') expect(parsed.reason).not.toBe('');
      else expect((data as { v: unknown }).v).toBe(parsed.kind === 'newer' ? parsed.version : parsed.chunk.v);
    }),
  );
});

test.each([
  ['web-1', true],
  ['A_z-9', true],
  ['p'.repeat(100), true],
  ['', false],
  ['p'.repeat(101), false],
  ['a.b', false],
  ['a:b', false],
  ['a b', false],
  ['a\n', false],
  ['é', false],
])('producer name: %j fits: %s', (name, fits) => {
  expect(producerNamePattern.test(name)).toBe(fits);
});

function issuesOf(schema: z.ZodType, value: unknown): string {
  const { error } = schema.safeParse(value);
  if (!error) throw new Error('nothing is wrong');
  return describeIssues(error);
}

test('issues: a problem is named by its path', () => {
  const schema = z.array(z.object({ strategyId: z.string() }));
  expect(issuesOf(schema, [{ strategyId: 'a' }, { strategyId: 5 }])).toBe(
    '[1].strategyId: Invalid input: expected string, received number',
  );
});

test('issues: a problem of the whole value is named so', () => {
  expect(issuesOf(z.string(), 5)).toBe('value: Invalid input: expected string, received number');
});

test('issues: the first three are told, the others counted', () => {
  const text = issuesOf(z.array(z.string()), [1, 2, 3, 4, 5]);
  expect(text.split('; ')).toHaveLength(4);
  expect(text).toMatch(/^\[0\]: .*; \[1\]: .*; \[2\]: .*; and 2 more$/);
  expect(issuesOf(z.array(z.string()), [1, 2, 3])).not.toContain('more');
});

test('chunk: a list whose length cannot be compared is malformed, and no throw', () => {
  const records = JSON.parse('{"length":{"toString":1,"valueOf":1}}');
  expect(parseChunk({ v: 1, producer: 'p', epoch: 1, seq: 1, records })).toMatchObject({ kind: 'malformed' });
});
