import { createHmac, randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { abandonedRequest, type BegunRequest, type CompletedRequest } from '../../../producers/index.ts';
import { createApiKeyHash } from '../../../producers/requests/api-key-hash.ts';
import {
  captureBegunRequest,
  captureCompletedRequest,
  type RequestContext,
} from '../../../producers/requests/request-record.ts';
import { requestFields } from '../../../shared/contracts/canonical-text.ts';
import { findRequestProblem, type RequestRecord } from '../../../shared/contracts/completed-request-schema.ts';
import { anyText, anyValue, isStorableText, textsOf } from '../../support/any-value.ts';
import { expectCanonical } from '../../support/canonical-text.ts';
import { aRequest } from '../../support/request.ts';
import { unreadableObjects } from '../../support/unreadable.ts';

const nowMs = Date.UTC(2026, 0, 2, 12);
const nowIso = '2026-01-02T12:00:00.000Z';
const pepper = 'a pepper of some length';

const context: RequestContext = {
  nowMs,
  maxBodyBytes: 1_048_576,
  hashApiKey: createApiKeyHash(pepper),
  stripRequestKeys: [],
};

type Completed = Extract<RequestRecord, { phase: 'completed' }>;

/** The record of a request, which the contract accepts. */
function recordOf(request: CompletedRequest, choices: Partial<RequestContext> = {}): Completed {
  const taken = captureCompletedRequest(request, { ...context, ...choices });
  const { json, bytes } = taken.write();
  expect(bytes).toBe(Buffer.byteLength(json));
  expect(taken.leastBytes).toBeLessThanOrEqual(bytes);
  expectCanonical(json, requestFields);
  const record = JSON.parse(json);
  expect(findRequestProblem(record)).toBeNull();
  return record;
}

const withFields = (fields: object, choices: Partial<RequestContext> = {}) =>
  recordOf({ ...aRequest(), ...fields } as CompletedRequest, choices);

test('record: a plain request is stored as it is, with sizes and without notes', () => {
  const request = aRequest();
  expect(recordOf(request)).toEqual({
    phase: 'completed',
    requestId: request.requestId,
    createdBy: 'user-1',
    model: 'm-1',
    endpoint: '/v1/responses',
    serviceTier: 'priority',
    startedAt: '2026-01-02T03:04:05.000Z',
    completedAt: '2026-01-02T03:04:06.500Z',
    statusCode: 200,
    requestBody: '{"model":"m-1","input":"hello"}',
    requestEncoding: 'utf8',
    requestBytes: 31,
    requestCut: false,
    responseBody: '{"output":"hi"}',
    responseEncoding: 'utf8',
    responseBytes: 15,
    responseCut: false,
    isStream: false,
    isIncomplete: false,
  });
});

test('record: the least that a request has is enough', () => {
  const record = recordOf({ requestId: randomUUID(), createdBy: 'u', statusCode: 200 });
  expect(record).toMatchObject({
    model: 'unknown',
    endpoint: '',
    serviceTier: 'priority',
    startedAt: nowIso,
    completedAt: nowIso,
    requestBody: '',
    requestBytes: 0,
    responseBody: '',
    responseBytes: 0,
  });
  expect(record.apiKeyHash).toBeUndefined();
});

test('record: one that is begun has no end', () => {
  const { json } = captureBegunRequest(
    { ...aRequest(), startedAt: undefined } as unknown as BegunRequest,
    context,
  ).write();
  const record = JSON.parse(json);
  expect(findRequestProblem(record)).toBeNull();
  expect(record).toMatchObject({ phase: 'begun', startedAt: nowIso, notes: expect.stringContaining('startedAt') });
  expect(record).not.toHaveProperty('statusCode');
  expect(record).not.toHaveProperty('responseBody');
});

test('record: an abandoned one has status 499 and an error in place of a response', () => {
  const { requestId, createdBy } = aRequest();
  const record = recordOf(abandonedRequest({ requestId, createdBy, startedAt: nowMs }));
  expect(record).toMatchObject({
    statusCode: 499,
    startedAt: nowIso,
    completedAt: nowIso,
    requestBody: '',
    isIncomplete: true,
  });
  expect(JSON.parse(record.responseBody)).toEqual({
    error: {
      type: 'client_disconnected',
      message: 'client cancelled before upstream response',
      code: 499,
    },
  });
  expect(record.notes).toBeUndefined();
});

describe('fields', () => {
  test.each<[field: string, value: unknown, stored: unknown, note: string | null]>([
    ['createdBy', '  user-2\n', 'user-2', null],
    ['requestId', 'ABCDEF01-2345-4789-8ABC-DEF012345678', 'abcdef01-2345-4789-8abc-def012345678', null],
    ['model', 'm'.repeat(600), 'm'.repeat(512), 'model: cut from 600 to 512 characters'],
    ['model', '', 'unknown', null],
    ['model', 'a\0b\ud800', 'a\ufffdb\ufffd', 'model: NUL or a lone surrogate replaced'],
    ['model', 7, '7', 'model: number stored as text'],
    ['endpoint', '/'.repeat(3_000), '/'.repeat(2_048), 'endpoint: cut from 3000 to 2048 characters'],
    ['endpoint', `${'e'.repeat(2_047)}😀`, `${'e'.repeat(2_047)}\ufffd`, 'endpoint: cut from 2049 to 2048 characters'],
    ['serviceTier', 'flex', 'flex', null],
    ['serviceTier', 'gold', 'priority', 'serviceTier: "gold" is not known, stored as priority'],
    ['statusCode', 100, 100, null],
    ['statusCode', 599, 599, null],
    ['statusCode', '404', 404, 'statusCode: text stored as a number'],
    ['statusCode', 600, 599, 'statusCode: "600" is no status code of HTTP, stored as 599'],
    ['statusCode', 99, 599, 'statusCode: "99" is no status code of HTTP, stored as 599'],
    ['statusCode', 200.5, 599, 'statusCode: "200.5" is no status code of HTTP, stored as 599'],
    ['statusCode', Number.NaN, 599, 'statusCode: "NaN" is no status code of HTTP, stored as 599'],
    ['statusCode', undefined, 599, 'statusCode: "undefined" is no status code of HTTP, stored as 599'],
    ['isStream', true, true, null],
    ['isStream', 'yes', false, 'isStream: string stored as false'],
    ['isIncomplete', 1, false, 'isIncomplete: number stored as false'],
    ['provider', 'azure.ai.openai', 'azure.ai.openai', null],
    ['provider', '', undefined, null],
    ['provider', 'p'.repeat(600), 'p'.repeat(512), 'provider: cut from 600 to 512 characters'],
    ['firstTokenAt', Date.UTC(2026, 0, 2, 3, 4, 5, 7), '2026-01-02T03:04:05.007Z', null],
    ['firstTokenAt', '2026-01-02T03:04:06.501Z', undefined, 'firstTokenAt: 2026-01-02T03:04:06.501Z is not between'],
    ['firstTokenAt', '2026-01-02T03:04:04.999Z', undefined, 'firstTokenAt: 2026-01-02T03:04:04.999Z is not between'],
    ['firstTokenAt', 'soon', undefined, 'firstTokenAt: "soon" is no time, left out'],
  ])('%s %j is stored as %j', (field, value, stored, note) => {
    const record = withFields({ [field]: value });
    expect(record[field as keyof Completed]).toBe(stored);
    expect(record.notes).toEqual(note === null ? undefined : expect.stringContaining(note));
  });

  test.each<[field: string, value: unknown, message: RegExp]>([
    ['requestId', undefined, /^requestId is missing; give a UUID/],
    ['requestId', 'resp_1', /^requestId is "resp_1"; give a UUID/],
    ['requestId', 'x'.repeat(10_000), /^requestId is "x{60}"; give/],
    ['createdBy', undefined, /^createdBy is undefined; give the id .* as text$/],
    ['createdBy', 42, /^createdBy is number; /],
    ['createdBy', ' \t\n', /^createdBy is blank; /],
    ['createdBy', 'u'.repeat(513), /^createdBy has 513 characters; /],
    ['createdBy', 'a\0', /^createdBy contains a NUL/],
    ['createdBy', '\udfff', /^createdBy contains a NUL or a lone surrogate/],
  ])('%s %j cannot be mended', (field, value, message) => {
    const request = { ...aRequest(), [field]: value };
    for (const take of [captureCompletedRequest, captureBegunRequest]) {
      expect(() => take(request as CompletedRequest, context)).toThrow(TypeError);
      expect(() => take(request as CompletedRequest, context)).toThrow(message);
    }
  });

  test('a field that cannot be read is named', () => {
    const request = Object.defineProperty(aRequest(), 'model', {
      get: () => {
        throw new Error('no');
      },
    });
    expect(() => captureCompletedRequest(request, context)).toThrow(/^model cannot be read; give a plain object$/);
  });
});

describe('times', () => {
  const t = (seconds: number): number => nowMs + seconds * 1_000;
  const iso = (seconds: number): string => new Date(t(seconds)).toISOString();

  test.each<[what: string, given: object, startedAt: string, completedAt: string, note: string | null]>([
    ['a Date and text', { startedAt: new Date(t(-2)), completedAt: iso(-1) }, iso(-2), iso(-1), null],
    ['no start', { startedAt: undefined, completedAt: t(-1) }, iso(-1), iso(-1), 'startedAt: is missing, completedAt'],
    [
      'no end',
      { startedAt: t(-1), completedAt: null },
      iso(-1),
      iso(0),
      'completedAt: is missing, the time of the call',
    ],
    ['neither', { startedAt: null, completedAt: null }, iso(0), iso(0), 'startedAt: is missing, the time of the call'],
    ['NaN', { startedAt: t(-1), completedAt: Number.NaN }, iso(-1), iso(0), 'completedAt: "NaN" is no time'],
    [
      'a wrong Date',
      { startedAt: new Date('x'), completedAt: t(0) },
      iso(0),
      iso(0),
      'startedAt: "Invalid Date" is no',
    ],
    ['no words of time', { startedAt: 'soon', completedAt: t(0) }, iso(0), iso(0), 'startedAt: "soon" is no time'],
    ['a year of five digits', { startedAt: 1e15, completedAt: t(0) }, iso(0), iso(0), 'is no time'],
    [
      'an end before the start',
      { startedAt: t(0), completedAt: t(-9) },
      iso(0),
      iso(0),
      `${iso(-9)} is before startedAt`,
    ],
    [
      'seconds',
      { startedAt: 1_767_312_245, completedAt: t(0) },
      '1970-01-21T10:55:12.245Z',
      iso(0),
      'startedAt: 1970-01-21T10:55:12.245Z is implausible, before 2000; were seconds given',
    ],
    [
      'an end in years to come',
      { startedAt: t(0), completedAt: '2099-01-01T00:00:00Z' },
      iso(0),
      '2099-01-01T00:00:00.000Z',
      'completedAt: 2099-01-01T00:00:00.000Z is implausible, more than a day ahead',
    ],
    ['a start in the future, no end', { startedAt: t(9), completedAt: null }, iso(9), iso(9), 'is before startedAt'],
  ])('%s', (_what, given, startedAt, completedAt, note) => {
    const record = withFields(given);
    expect(record).toMatchObject({ startedAt, completedAt });
    expect(record.notes).toEqual(note === null ? undefined : expect.stringContaining(note));
  });
});

describe('keys', () => {
  const apiKey = 'sk-very-secret';
  const hash = createHmac('sha256', pepper).update(apiKey).digest('hex');

  test('a key becomes its HMAC, and is nowhere in the record', () => {
    const { json } = captureCompletedRequest(aRequest({ apiKey }), context).write();
    expect(JSON.parse(json).apiKeyHash).toBe(hash);
    expect(json).not.toContain(apiKey);
  });

  test('without a pepper nothing is left of a key', () => {
    const { json } = captureCompletedRequest(aRequest({ apiKey }), { ...context, hashApiKey: null }).write();
    expect(json).not.toContain('apiKeyHash');
    expect(json).not.toContain(apiKey);
  });

  test('a hash that was made elsewhere is taken, in lower case', () => {
    expect(withFields({ apiKeyHash: hash.toUpperCase() }, { hashApiKey: null }).apiKeyHash).toBe(hash);
    expect(withFields({ apiKey, apiKeyHash: 'f'.repeat(64) }).apiKeyHash).toBe(hash);
  });

  test('a key in the wrong field, or in the wrong kind, is left out and not shown', () => {
    for (const fields of [{ apiKeyHash: apiKey }, { apiKey: [apiKey] }, { apiKey: Buffer.from(apiKey) }]) {
      const record = withFields(fields);
      expect(record.apiKeyHash).toBeUndefined();
      expect(record.notes).toContain('left out');
      expect(JSON.stringify(record)).not.toContain(apiKey);
    }
  });

  test('an empty key is no key', () => {
    expect(withFields({ apiKey: '' })).not.toHaveProperty('apiKeyHash');
    expect(withFields({ apiKey: '' }).notes).toBeUndefined();
  });
});

describe('bodies', () => {
  const body = (responseBody: unknown, maxBodyBytes = 1_048_576) => {
    const record = withFields({ responseBody }, { maxBodyBytes });
    const { responseBody: text, responseEncoding: encoding, responseBytes: bytes, responseCut: cut, notes } = record;
    return { text, encoding, bytes, cut, notes, exact: Buffer.from(text, encoding) };
  };

  test.each([
    ['null', null],
    ['undefined', undefined],
    ['an empty text', ''],
    ['no bytes', new Uint8Array()],
  ])('%s is an empty text', (_name, value) => {
    expect(body(value)).toMatchObject({ text: '', encoding: 'utf8', bytes: 0, cut: false, notes: undefined });
  });

  test('a size is bytes of UTF-8, not characters', () => {
    expect(body('é😀')).toMatchObject({ text: 'é😀', bytes: 6 });
    expect(body(Buffer.from('é😀'))).toMatchObject({ text: 'é😀', encoding: 'utf8', bytes: 6 });
  });

  test('integers beyond 2^53, spaces and the order of keys stay as they are', () => {
    const text = '{ "b": 9007199254740993,\n  "a": 1.0, "c": 12345678901234567890123 }';
    expect(body(text)).toMatchObject({ text, notes: undefined });
  });

  test('a stream of events is stored raw', () => {
    const events = 'data: {"delta":"a"}\n\ndata: {"delta":"b"}\n\ndata: [DONE]\n\n';
    const record = withFields({ responseBody: Buffer.from(events), isStream: true, isIncomplete: true });
    expect(record).toMatchObject({ responseBody: events, isStream: true, isIncomplete: true });
  });

  test('bytes that are no UTF-8 are kept exactly', () => {
    const zipped = gzipSync('{"output":"hi"}');
    const stored = body(zipped);
    expect(stored).toMatchObject({ encoding: 'base64', bytes: zipped.length, cut: false });
    expect(stored.exact.equals(zipped)).toBe(true);
    expect(stored.notes).toBe('responseBody: no text that PostgreSQL takes, kept as base64');
  });

  test('text with NUL in it is kept exactly', () => {
    for (const value of ['a\0é', Buffer.from('a\0é')]) {
      const stored = body(value);
      expect(stored).toMatchObject({ encoding: 'base64', bytes: 4 });
      expect(stored.exact.toString()).toBe('a\0é');
    }
  });

  test('a byte order mark stays', () => {
    expect(body(Buffer.from('\ufeff{}'))).toMatchObject({ text: '\ufeff{}', bytes: 5 });
  });

  test('a lone surrogate is replaced, with a note', () => {
    expect(body('a\ud83d')).toMatchObject({
      text: 'a\ufffd',
      bytes: 4,
      notes: 'responseBody: a lone surrogate replaced',
    });
  });

  test('a body at its bound is whole, one above it is cut, and its true size is kept', () => {
    expect(body('x'.repeat(2_000), 2_000)).toMatchObject({ bytes: 2_000, cut: false, notes: undefined });
    for (const value of ['x'.repeat(2_001), Buffer.alloc(2_001, 'x')]) {
      expect(body(value, 2_000)).toMatchObject({
        text: 'x'.repeat(2_000),
        bytes: 2_001,
        cut: true,
        notes: 'responseBody: cut from 2001 to 2000 bytes',
      });
    }
  });

  test('10 MB are cut to 1 MiB', () => {
    for (const value of ['y'.repeat(10_000_000), Buffer.alloc(10_000_000, 'y')]) {
      const stored = body(value);
      expect(stored).toMatchObject({ bytes: 10_000_000, cut: true, encoding: 'utf8' });
      expect(stored.text).toHaveLength(1_048_576);
    }
  });

  test('a cut goes through no character, however it falls', () => {
    for (const character of ['é', '€', '😀']) {
      for (let shift = 0; shift < 8; shift += 1) {
        const text = `${'x'.repeat(1_020 + shift)}${character.repeat(10)}`;
        for (const value of [text, Buffer.from(text)]) {
          const stored = body(value, 1_024);
          expect(stored.encoding).toBe('utf8');
          expect(text.startsWith(stored.text)).toBe(true);
          expect(Buffer.byteLength(stored.text)).toBeLessThanOrEqual(1_024);
          expect(Buffer.byteLength(stored.text)).toBeGreaterThan(1_020);
        }
      }
    }
  });

  test('bytes that are no text are cut to the byte', () => {
    const bytes = Buffer.alloc(3_000, 0xff);
    const stored = body(bytes, 2_000);
    expect(stored).toMatchObject({ encoding: 'base64', bytes: 3_000, cut: true });
    expect(stored.exact.equals(bytes.subarray(0, 2_000))).toBe(true);
  });

  test('what comes behind the cut does not decide about the encoding', () => {
    const bytes = Buffer.concat([Buffer.alloc(2_000, 'x'), Buffer.from([0xff, 0])]);
    expect(body(bytes, 2_000)).toMatchObject({ encoding: 'utf8', cut: true });
  });

  test('other views, and a part of a larger buffer, are bytes too', () => {
    const { buffer } = new TextEncoder().encode('xxhixx');
    expect(body(new DataView(buffer, 2, 2))).toMatchObject({ text: 'hi', notes: undefined });
    expect(body(new Uint8Array(buffer, 2, 2))).toMatchObject({ text: 'hi' });
    expect(body(buffer)).toMatchObject({ text: 'xxhixx' });
  });

  test('what is neither text nor bytes is stored as JSON', () => {
    expect(body({ a: [1, null], b: 'x' })).toMatchObject({
      text: '{"a":[1,null],"b":"x"}',
      notes: 'responseBody: object stored as JSON',
    });
    expect(body(12)).toMatchObject({ text: '12' });
  });

  test('bytes that went to another thread cost the body, not the record', () => {
    const bytes = new Uint8Array(100);
    const taken = captureCompletedRequest(aRequest({ responseBody: bytes }), context);
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
    const record = JSON.parse(taken.write().json);
    expect(findRequestProblem(record)).toBeNull();
    expect(record.responseBody).toBe('');
  });

  test.each(unreadableObjects())('%s costs the body at most', (_name, value) => {
    expect(body(value).encoding).toBe('utf8');
  });

  test('a record that is longer than a string can be has no JSON', () => {
    const responseBody = '\x01'.repeat(60_000_000);
    const choices = { ...context, maxBodyBytes: 64 * 1_048_576 };
    const request = aRequest({ requestBody: responseBody, responseBody });
    expect(captureCompletedRequest(request, choices).write()).toEqual({ json: '', bytes: Number.POSITIVE_INFINITY });
  });
});

describe('stripped keys', () => {
  const stripRequestKeys = ['service_tier', 'background'];

  test('they are taken out of the request, as text and as bytes, and the size is of what is left', () => {
    const text = '{"model":"m","service_tier":"flex","background":true,"n":9007199254740993}';
    for (const requestBody of [text, Buffer.from(text)]) {
      const record = withFields({ requestBody }, { stripRequestKeys });
      expect(record.requestBody).toBe('{"model":"m","n":9007199254740993}');
      expect(record.requestBytes).toBe(34);
      expect(record.notes).toBeUndefined();
    }
  });

  test('responses keep theirs', () => {
    const responseBody = '{"background":true}';
    expect(withFields({ responseBody }, { stripRequestKeys }).responseBody).toBe(responseBody);
  });

  test('bytes that are no text stay what they are', () => {
    const zipped = gzipSync('{"background":true}');
    const record = withFields({ requestBody: zipped }, { stripRequestKeys });
    expect(Buffer.from(record.requestBody, 'base64').equals(zipped)).toBe(true);
  });
});

const anyBody = fc.oneof(
  anyText,
  fc.string({ unit: 'binary', maxLength: 3_000 }),
  fc.uint8Array({ maxLength: 3_000 }),
  anyValue,
);

const anyRequest = fc.record(
  {
    requestId: fc.oneof({ weight: 9, arbitrary: fc.uuid() }, { weight: 1, arbitrary: anyValue }),
    createdBy: fc.oneof({ weight: 9, arbitrary: fc.constant('u') }, { weight: 1, arbitrary: anyValue }),
    statusCode: fc.oneof(fc.integer({ min: 0, max: 700 }), anyValue),
    model: fc.oneof(anyText, anyValue),
    endpoint: fc.oneof(anyText, anyValue),
    serviceTier: anyValue,
    startedAt: fc.oneof(fc.date({ noInvalidDate: false }), fc.double(), fc.string(), anyValue),
    completedAt: fc.oneof(fc.date({ noInvalidDate: false }), fc.double(), fc.string(), anyValue),
    requestBody: anyBody,
    responseBody: anyBody,
    apiKey: fc.oneof(anyText, anyValue),
    apiKeyHash: fc.oneof(anyText, anyValue),
    isStream: anyValue,
    isIncomplete: anyValue,
    provider: fc.oneof(anyText, anyValue),
    firstTokenAt: fc.oneof(fc.date({ noInvalidDate: false }), fc.double(), fc.string(), anyValue),
  },
  { requiredKeys: ['requestId', 'createdBy'] },
);

test('record: whatever comes in, a TypeError or a record that the contract and PostgreSQL accept comes out', () => {
  fc.assert(
    fc.property(fc.oneof({ weight: 9, arbitrary: anyRequest }, { weight: 1, arbitrary: anyValue }), (request) => {
      for (const take of [captureCompletedRequest, captureBegunRequest]) {
        const choices = { ...context, maxBodyBytes: 1_024, stripRequestKeys: ['a'] };
        let taken: ReturnType<typeof take>;
        try {
          taken = take(request as CompletedRequest, choices);
        } catch (error) {
          expect(error).toBeInstanceOf(TypeError);
          continue;
        }
        const { json, bytes } = taken.write();
        const record = JSON.parse(json);
        expect(findRequestProblem(record)).toBeNull();
        expect(textsOf(record).every(isStorableText)).toBe(true);
        expect(bytes).toBe(Buffer.byteLength(json));
        expect(taken.leastBytes).toBeLessThanOrEqual(bytes);
      }
    }),
    { numRuns: 2_000 },
  );
});
