import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createChunker } from '../../../producers/core/chunker.ts';
import { RecordBuffer } from '../../../producers/core/record-buffer.ts';
import { chunkRecordTexts, cutRecordList, recordTexts } from '../../../workers/ingest/record-texts.ts';
import { anEntry } from '../../support/entry.ts';

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

const cut = (text: string) => cutRecordList(text, JSON.parse(text));

test('record list: it is cut out of a chunk as the SDK writes it, whatever its records are', () => {
  const buffer = new RecordBuffer({ maxRecords: 10, maxBytes: 10_000 });
  for (const json of ['{"a":"é\\"]}"}', '{"records":[1],"n":1.10}']) buffer.offer(anEntry({ json }));
  const identity = { producer: 'host-1', epoch: 1_700_000_000_000, life: '9f2c4e01ab' };
  const data = createChunker(buffer, { maxRecords: 10, maxBytes: 10_000 }, identity).next()?.data ?? '';
  expect(cut(data)).toBe('[{"a":"é\\"]}"},\n{"records":[1],"n":1.10}]');
});

test.each([
  '{"v":1,"records":[1],"seq":1}',
  '{"v":1, "records":[1]}',
  '{"v":{"records":[2]},"records":[1]}',
  '{"records":[1],"x":[2]}',
  '{"v":1.0,"records":[1]}',
])('record list: of a chunk that is written otherwise it is not cut: %s', (text) => {
  expect(cut(text)).toBeNull();
});
