import { expect, test } from 'vitest';
import { Notes } from '../../../producers/core/notes.ts';
import { readSpanFields } from '../../../producers/core/span-fields.ts';
import { aSpan } from '../../support/open-telemetry.ts';

const [active, own] = [aSpan('a'), aSpan('b')];

function read(given: { traceId?: unknown; spanId?: unknown }, of: typeof active | null | undefined = active) {
  const notes = new Notes();
  return { ...readSpanFields(given, of, notes), notes: notes.toText(1_000) };
}

test('span fields: those of the active span, unless the caller names another', () => {
  expect(read({})).toEqual(active);
  expect(read(own)).toEqual(own);
  expect(read(own, null)).toEqual(own);
  expect(read({}, null)).toEqual({});
});

test('span fields: an id of the caller is stored in lower case', () => {
  expect(read({ traceId: own.traceId.toUpperCase(), spanId: own.spanId.toUpperCase() })).toEqual(own);
});

test('span fields: the active span belongs to a trace of the caller only where it is the same', () => {
  expect(read({ traceId: own.traceId })).toEqual({ traceId: own.traceId });
  expect(read({ traceId: active.traceId })).toEqual(active);
  expect(read({ spanId: own.spanId })).toEqual({ traceId: active.traceId, spanId: own.spanId });
});

test('span fields: null means no trace', () => {
  expect(read({ traceId: null })).toEqual({});
  expect(read({ traceId: null, spanId: own.spanId })).toEqual({});
});

test.each([
  ['traceId', '0'.repeat(32)],
  ['traceId', 'b'.repeat(31)],
  ['traceId', 7],
  ['traceId', ''],
  ['spanId', '0'.repeat(16)],
  ['spanId', `${'b'.repeat(15)}\0`],
  ['spanId', ['b'.repeat(16)]],
])('span fields: as %s, %j gives way to the active span, and the notes say so', (name, value) => {
  const { notes, ...fields } = read({ [name]: value });
  expect(fields).toEqual(active);
  expect(notes).toMatch(new RegExp(`^${name}: .* is no ${name} of OpenTelemetry, left out$`));
});
