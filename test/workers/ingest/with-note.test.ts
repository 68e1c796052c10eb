import { expect, test } from 'vitest';
import { withNote } from '../../../workers/ingest/with-note.ts';

test.each([
  ['{"id":"a"}', '{"id":"a","notes":"odd"}'],
  ['{}', '{"notes":"odd"}'],
  ['{"id":"a","notes":null}', '{"id":"a","notes":"odd"}'],
  ['{"notes":"cut \\"x\\"","n":1}', '{"notes":"cut \\"x\\"; odd","n":1}'],
  ['{ "n": 12345678901234567890.10 }', '{ "n": 12345678901234567890.10 ,"notes":"odd"}'],
  ['{"no\\u0074es":"a"}', '{"notes":"a; odd"}'],
  ['{"input":{"notes":"b"}}', '{"input":{"notes":"b"},"notes":"odd"}'],
])('note: %s', (record, noted) => {
  expect(withNote(record, 'odd', 100)).toBe(noted);
});

test('note: a record that has it already, or has no room for it, stays as it is', () => {
  for (const record of ['{"notes":"this is odd; cut"}', `{"notes":"${'x'.repeat(98)}"}`])
    expect(withNote(record, 'odd', 100)).toBe(record);
});
