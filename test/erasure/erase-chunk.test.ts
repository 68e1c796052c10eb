import { expect, test } from 'vitest';
import { deadLetterDisposition, isUnreadable } from '../../erasure/dead-letter-disposition.ts';
import { eraseFromChunk } from '../../erasure/erase-chunk.ts';
import { createScope, eraseFromRecord } from '../../erasure/erase-record.ts';
import { compressed, filler } from '../support/compressed-chunk.ts';

const before = new Date('2026-03-01T12:00:00.000Z');
const user = createScope({ kind: 'user', id: 'gone-1' }, { before, ownOnly: false });
const realm = createScope({ kind: 'realm', id: 'gone-1' }, { before, ownOnly: false });
const ownOnly = createScope({ kind: 'user', id: 'gone-1' }, { before, ownOnly: true });
const time = '"recordedAt":"2026-03-01T12:00:00.000Z"';

const chunk = (...records: string[]): string =>
  `{"v":1,"producer":"p","epoch":1,"seq":7,"records":[${records.join(',')}]}`;
const theirs = `{"id":"1",${time},"externalUserId":"gone-1","input":1}`;
const others = `{"id":"2", "points":2.0,"durationMs":12345678901234567890,"externalUserId":"stays"}`;

test('chunk: records of the user go, and what stays is the same to the last digit', () => {
  expect(eraseFromChunk('execution-log', chunk(theirs, others, theirs), user)).toEqual({
    ...{ kind: 'changed', erased: 2, blanked: 0 },
    data: chunk(others),
  });
  expect(eraseFromChunk('execution-log', chunk(theirs), user)).toEqual({ kind: 'erased', erased: 1, blanked: 0 });
  expect(eraseFromChunk('execution-log', chunk(others), user)).toEqual({ kind: 'kept' });
});

test('chunk: what was made since then stays, and so does a record of a user when a realm of that name goes', () => {
  const since = theirs.replace('12:00:00.000Z', '12:00:00.001Z');
  expect(eraseFromChunk('execution-log', chunk(since), user)).toEqual({ kind: 'kept' });
  const ofRealm = `{${time},"realmId":"gone-1"}`;
  expect(eraseFromChunk('execution-log', chunk(ofRealm), realm)).toMatchObject({ kind: 'erased' });
  expect(eraseFromChunk('execution-log', chunk(ofRealm), ownOnly)).toEqual({ kind: 'kept' });
});

test('chunk: one of a newer version, or that is none, is not taken for a chunk', () => {
  expect(eraseFromChunk('execution-log', '{"v":5,"records":[]}', user)).toEqual({ kind: 'newer', version: 5 });
  expect(eraseFromChunk('execution-log', 'no JSON of gone-1', user)).toMatchObject({ kind: 'erased' });
  expect(eraseFromChunk('execution-log', 'no JSON of gone-12', user)).toEqual({ kind: 'kept' });
  expect(eraseFromChunk('execution-log', chunk(theirs).replace('{', '{"records":[],'), user)).toMatchObject({
    kind: 'erased',
  });
});

test('record: of one of somebody else the parts go that name the user, and its notes say so', () => {
  const record = `{"id":"3","externalUserId":"stays","points":2.0,"errorMessage":"none for gone-1","trace":[{"gone-1":1}],"input":{"a":1},"notes":"cut"}`;
  expect(eraseFromRecord('execution-log', record, user)).toEqual({
    kind: 'blanked',
    json: `{"id":"3","externalUserId":"stays","points":2.0,"input":{"a":1},"notes":"cut; erased: errorMessage, trace"}`,
  });
  expect(eraseFromRecord('execution-log', record, ownOnly)).toEqual({ kind: 'kept' });
  const noted = `{"id":"3","notes":"of gone-1"}`;
  expect(eraseFromRecord('execution-log', noted, user)).toEqual({
    kind: 'blanked',
    json: `{"id":"3","notes":"erased: notes"}`,
  });
});

test('record: bodies of requests are blanked, those that are encoded too, and the request stays what its contract says', () => {
  const body = Buffer.from('{"user":"gone-1"}').toString('base64');
  const record = `{"phase":"completed","createdBy":"org","requestBody":"${body}","requestEncoding":"base64","responseBody":"to gone-1","responseEncoding":"utf8"}`;
  expect(eraseFromRecord('completed-request', record, user)).toEqual({
    kind: 'blanked',
    json: `{"phase":"completed","createdBy":"org","requestBody":"","requestEncoding":"base64","responseBody":"","responseEncoding":"utf8","notes":"erased: requestBody, responseBody"}`,
  });
});

test('dead letter: a chunk keeps the records of others, and one of a newer producer goes only when it names the user', () => {
  const deadLetter = (payload: string) => ({
    queue: 'execution-log',
    payload,
    code: 'schema',
    reason: '',
    signature: '',
  });
  expect(deadLetterDisposition(deadLetter(chunk(theirs, others)), user)).toMatchObject({ payload: chunk(others) });
  expect(deadLetterDisposition(deadLetter(chunk(theirs)), user)).toBe('erased');
  expect(deadLetterDisposition(deadLetter(chunk(others)), user)).toBeNull();
  expect(deadLetterDisposition(deadLetter('{"v":99,"records":[{"externalUserId":"stays"}]}'), user)).toBeNull();
  expect(deadLetterDisposition(deadLetter('{"v":99,"records":[{"externalUserId":"gone-1"}]}'), user)).toBe('erased');
});

test('chunk: of one whose records name spans the records go all the same, and its version stays', () => {
  const ofSpan = (...records: string[]): string => chunk(...records).replace('"v":1', '"v":2');
  expect(eraseFromChunk('execution-log', ofSpan(theirs, others), user)).toMatchObject({ data: ofSpan(others) });
  expect(eraseFromChunk('execution-log', ofSpan(others), user)).toEqual({ kind: 'kept' });
});

test('chunk: of a compressed one the records go, what stays is the same, and it is compressed again', () => {
  const large = `{"id":"3","externalUserId":"stays","filler":"${filler}"}`;
  const requestId = '0197c2f0-0000-7000-8000-000000000001';
  const disposition = eraseFromChunk('execution-log', compressed(chunk(theirs, others, large), 3, requestId), user);
  expect(disposition).toEqual({
    ...{ kind: 'changed', erased: 1, blanked: 0 },
    data: compressed(chunk(others, large), 2, requestId),
  });
  expect(eraseFromChunk('execution-log', compressed(chunk(large)), user)).toEqual({ kind: 'kept' });
  const onlyTheirs = theirs.replace('"input":1', `"input":"${filler}"`);
  expect(eraseFromChunk('execution-log', compressed(chunk(onlyTheirs)), user)).toMatchObject({ kind: 'erased' });
  // What is left is too small to be compressed.
  expect(eraseFromChunk('execution-log', compressed(chunk(onlyTheirs, others), 2), user)).toMatchObject({
    data: chunk(others),
  });
});

test('chunk: whom a damaged compressed one names is not known, in a queue and among the dead letters', () => {
  const damaged = compressed(chunk(`"${filler}"`)).replace(/"bytes":\d+/, '"bytes":1024');
  expect(eraseFromChunk('execution-log', damaged, user)).toEqual({ kind: 'newer' });
  expect(isUnreadable({ queue: 'execution-log', payload: damaged })).toBe(true);
  expect(isUnreadable({ queue: 'execution-log', payload: chunk(others) })).toBe(false);
  expect(isUnreadable({ queue: 'their-stream', payload: damaged })).toBe(false);
});
