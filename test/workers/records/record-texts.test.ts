import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chunkRecordTexts, recordTexts } from '../../../workers/records/record-texts.ts';

test('record texts: each is what stands in the text, numbers with the digits with which they were written', () => {
  const chunk = '{"v":1,"records": [ {"n":12345678901234567890},{"n":[1.10,1e400,-0.0]} , null,"x" ]}';
  expect(chunkRecordTexts(chunk)).toEqual(['{"n":12345678901234567890}', '{"n":[1.10,1e400,-0.0]}', 'null', '"x"']);
});

test('record texts: any record means what it meant', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue(), { minLength: 1 }), fc.constantFrom(0, 1, 2), (records, indent) => {
      const again = chunkRecordTexts(JSON.stringify({ v: 1, records }, null, indent)).map((text) => JSON.parse(text));
      expect(again).toEqual(JSON.parse(JSON.stringify(records)));
    }),
  );
});

test.each(['', '{}', '[', '[1,]', '[1]2', '[1 2]', `[${'['.repeat(20_000)}${']'.repeat(20_000)}]`])(
  'record texts: what is no list, or is too deep to be followed, is refused: %#',
  (text) => {
    expect(() => recordTexts(text)).toThrow(RangeError);
  },
);

test('record texts: a text is a list by the rules of JSON.parse, or it is none', () => {
  const parts = fc.constantFrom('[', ']', ',', '1', '"a"', '{}', '{"a":1}', ' ', 'nul', 'null', '"');
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 10 }), (pieces) => {
      const text = pieces.join('');
      let parsed: unknown = null;
      try {
        parsed = JSON.parse(text);
      } catch {
        // no JSON
      }
      if (Array.isArray(parsed)) expect(recordTexts(text).map((item) => JSON.parse(item))).toEqual(parsed);
      else expect(() => recordTexts(text)).toThrow(RangeError);
    }),
    { numRuns: 5_000 },
  );
});
