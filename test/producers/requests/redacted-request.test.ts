import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRedaction } from '../../../producers/core/redact.ts';
import type { CompletedRequest, RedactRule } from '../../../producers/index.ts';
import { captureBegunRequest, captureCompletedRequest } from '../../../producers/requests/request-record.ts';
import { findRequestProblem, type RequestRecord } from '../../../shared/contracts/completed-request-schema.ts';
import { aRequest } from '../../support/request.ts';

const key = 'a key of sixteen characters';
const hmac = (text: string) => `hmac-sha256:${createHmac('sha256', key).update(text).digest('hex')}`;
const maxBodyBytes = 65_536;

type Completed = Extract<RequestRecord, { phase: 'completed' }>;

function redacted(fields: object, ...rules: RedactRule[]): Completed {
  const captured = captureCompletedRequest({ ...aRequest(), ...fields } as CompletedRequest, {
    ...{ nowMs: Date.UTC(2026, 0, 2, 12), maxBodyBytes, hashApiKey: null, stripRequestKeys: [] },
    redaction: createRedaction({ rules: { rules }, key }),
  });
  const { json, bytes } = captured.write();
  expect(captured.leastBytes).toBeLessThanOrEqual(bytes);
  const record = JSON.parse(json);
  expect(findRequestProblem(record)).toBeNull();
  return record;
}

const contents: RedactRule = {
  do: 'mask',
  at: ['requestBody.messages[*].content', 'responseBody.choices[*].message.content', '**.delta.content'],
};
const emails: RedactRule = { do: 'mask', find: ['email'], with: '-' };

test('redaction: paths lead into bodies of JSON, as text and as bytes', () => {
  const requestBody = JSON.stringify({
    model: 'm',
    messages: [{ role: 'user', content: 'secret' }, { content: ['secret'] }],
  });
  const responseBody = Buffer.from(JSON.stringify({ choices: [{ message: { content: 'secret' } }], usage: { n: 1 } }));
  const record = redacted({ requestBody, responseBody }, contents);
  expect(JSON.parse(record.requestBody)).toEqual({
    model: 'm',
    messages: [{ role: 'user', content: '[redacted]' }, { content: '[redacted]' }],
  });
  expect(JSON.parse(record.responseBody)).toEqual({
    choices: [{ message: { content: '[redacted]' } }],
    usage: { n: 1 },
  });
  expect(record.notes).toBe('3 values redacted');
});

test('redaction: a body of which the same name is there twice hides neither', () => {
  const record = redacted({ requestBody: '{"messages":[{"content":"secret"}],"messages":1}' }, contents);
  expect(record.requestBody).toBe('{"messages":1}');
});

test('redaction: a body that no rule concerns stays as it is, byte for byte', () => {
  const requestBody = '{ "n": 12345678901234567890, "messages": 1 }';
  const record = redacted({ requestBody, responseBody: 'secret, no JSON' }, { do: 'mask', at: 'input.**' });
  expect(record).toMatchObject({ requestBody, responseBody: 'secret, no JSON' });
  expect(record).not.toHaveProperty('notes');
});

test.each([
  ['text that is no JSON', 'secret'],
  ['JSON that is cut', '{"messages":[{"content":"secret"}'],
  ['bytes that are no UTF-8', Buffer.concat([Buffer.from('{"secret":"'), Buffer.from([0xff])])],
  ['more than is stored', JSON.stringify({ a: 'x'.repeat(maxBodyBytes), content: 'secret' })],
  ['more bytes than characters', JSON.stringify({ a: 'é'.repeat(maxBodyBytes / 2), content: 'secret' })],
])('redaction: %s is replaced as a whole where a rule concerns it', (_what, body) => {
  const record = redacted({ requestBody: body, responseBody: body }, contents);
  expect(record).toMatchObject({ requestBody: '[redacted]', responseBody: '[redacted]', notes: '2 values redacted' });
});

test('redaction: a whole body is dropped, masked or hashed, whatever it is', () => {
  const bodies = { requestBody: Buffer.from([0xff, 0]), responseBody: 'text' };
  expect(redacted(bodies, { do: 'drop', at: ['requestBody', 'responseBody'] })).toMatchObject({
    requestBody: '',
    responseBody: '',
  });
  expect(redacted(bodies, { do: 'mask', at: 'requestBody' })).toMatchObject({
    requestBody: '[redacted]',
    responseBody: 'text',
    notes: '1 value redacted',
  });
  expect(redacted(bodies, { do: 'hash', at: ['requestBody', 'responseBody'] })).toMatchObject({
    requestBody: '[redacted]',
    responseBody: hmac('text'),
  });
});

test('redaction: of server-sent events the JSON of each is redacted, and the stream keeps its form', () => {
  const responseBody = [
    ': secret comment',
    'event: delta',
    'data: {"choices":[{"delta":{"content":"secret"}}]}',
    '',
    'data:{"choices":[{"delta":{"role":"assistant"}}]}',
    '',
    'data: {"choices":',
    'data: [{"delta":{"content":"secret"}}]}',
    '',
    'data: secret, no JSON',
    '',
    'data: {"delta":{"content":"sec',
    '',
    'what: secret',
    'data: [DONE]',
    '',
  ].join('\n');
  const record = redacted({ responseBody, isStream: true }, contents);
  expect(record.responseBody.split('\n')).toEqual([
    ':',
    'event: delta',
    'data: {"choices":[{"delta":{"content":"[redacted]"}}]}',
    '',
    'data: {"choices":[{"delta":{"role":"assistant"}}]}',
    '',
    'data: {"choices":[{"delta":{"content":"[redacted]"}}]}',
    ':',
    '',
    'data: [redacted]',
    '',
    'data: [redacted]',
    '',
    ':',
    'data: [DONE]',
    '',
  ]);
  expect(record.notes).toBe('4 values redacted');
});

test('redaction: what is found in the pieces of a stream together is taken out of each, also of answers at a time', () => {
  const pieces = ['hello an', 'n.b', '@exam', 'ple.org, ', 'bye'];
  const events = pieces.flatMap((content, at) => [
    { choices: [{ index: 0, delta: { content } }] },
    { choices: [{ index: 1, delta: { content: ['x', 'y', '@', 'z.org', ''][at] } }] },
  ]);
  const asEvents = events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('');
  const asLines = events.map((event) => `${JSON.stringify(event)}\n`).join('');
  for (const responseBody of [asEvents, asLines]) {
    const record = redacted({ responseBody, isStream: true }, emails);
    const told = record.responseBody
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line.replace('data: ', '')).choices[0]);
    const textOf = (index: number) => told.filter((it) => it.index === index).map((it) => it.delta.content);
    expect(textOf(0)).toEqual(['hello -', '', '', ', ', 'bye']);
    expect(textOf(1).join('')).toBe('-');
    expect(record.notes).toBe('2 values redacted');
  }
});

test.each([
  ['lines of which the last is cut', '{"r":"ann@exam"}\n{"r":"ple.org"}\n{"r":"x', '{"r":"-"}\n{"r":""}\n[redacted]\n'],
  ['lines with an empty and a foreign one', '{"r":"ann@exam"}\n\nping\n{"r":"ple.org"}', '{"r":"-"}\nping\n{"r":""}\n'],
  ['a list of events', '[{"r":"ann@exam"},{"r":"ple.org"}]', '[{"r":"-"},{"r":""}]'],
  [
    'events behind a line of something else',
    '{}\ndata: {"r":"ann@exam"}\n\ndata: {"r":"ple.org"}',
    '{}\ndata: {"r":"-"}\n\ndata: {"r":""}',
  ],
  ['an event that is cut', 'data: {"r":"ann@exam', 'data: [redacted]'],
  ['events of text', 'data: to ann@exam\n\ndata: ple.org', 'data: to -\n\ndata: '],
  [
    'events of text and digits',
    'data: no 4111\n\ndata: 11111111\n\ndata: 1111\n\ndata:  ok',
    'data: no -\n\ndata: \n\ndata: \n\ndata:  ok',
  ],
  ['events of JSON texts', 'data: "ann@exam"\n\ndata: "ple.org"', 'data: "-"\n\ndata: ""'],
  [
    'answers with an index of the output',
    '{"output_index":0,"r":"a@"}\n{"output_index":1,"r":"b@"}\n{"output_index":0,"r":"x.org"}\n{"output_index":1,"r":"y.org"}',
    '{"output_index":0,"r":"-"}\n{"output_index":1,"r":"-"}\n{"output_index":0,"r":""}\n{"output_index":1,"r":""}\n',
  ],
])('redaction: in %s, what comes in pieces is found', (_what, responseBody, expected) => {
  const rules: RedactRule = { do: 'mask', find: ['email', 'creditCard'], with: '-' };
  expect(redacted({ responseBody, isStream: true }, rules).responseBody).toBe(expected);
});

test('redaction: an index that is no number, and a list of plain values, are no trouble', () => {
  const lines = '{"index":{"toString":1},"r":"ann@x.org"}\n{"index":null,"r":1}\n';
  expect(redacted({ responseBody: lines }, emails).responseBody).toBe(lines.replace('ann@x.org', '-'));
  expect(redacted({ requestBody: '["ann@exam","ple.org",null,4]' }, emails).requestBody).toBe(
    '["ann@exam","ple.org",null,4]',
  );
});

test('redaction: text in UTF-16 cannot be searched, and is replaced as a whole', () => {
  expect(redacted({ requestBody: Buffer.from('ann@example.org', 'utf16le') }, emails).requestBody).toBe('[redacted]');
  expect(redacted({ requestBody: Buffer.from([0, 65]), responseBody: 'a\0@b.de' }, contents)).toMatchObject({
    requestBody: '[redacted]',
    responseBody: '[redacted]',
  });
});

test('redaction: what is found is replaced in text, in JSON with escapes, and in the endpoint', () => {
  expect(redacted({ requestBody: 'from a@b.de' }, emails).requestBody).toBe('from -');
  expect(redacted({ requestBody: '{"a":"x\\u0040b.de"}' }, emails).requestBody).toBe('{"a":"-"}');
  expect(redacted({ requestBody: '{"a":"x\\u0040b.de"' }, emails).requestBody).toBe('[redacted]');
  expect(redacted({ endpoint: '/v1/u?mail=a%40b.de' }, emails).endpoint).toBe('/v1/u?mail=-');
  expect(redacted({ serviceTier: `${'x'.repeat(50)} ann@example.org` }, emails).notes).not.toContain('ann');
});

test('redaction: bodies that are objects, and requests that still run, are under the same rules', () => {
  const body = { messages: [{ content: 'secret' }], map: new Map([['delta', new Map([['content', 'secret']])]]) };
  expect(redacted({ requestBody: body }, contents).requestBody).not.toContain('secret');
  const captured = captureBegunRequest(
    { ...aRequest(), requestBody: '{"messages":[{"content":"secret"}]}' },
    {
      ...{ nowMs: 0, maxBodyBytes, hashApiKey: null, stripRequestKeys: [] },
      redaction: createRedaction({ rules: { rules: [contents] } }),
    },
  );
  expect(captured.write().json).not.toContain('secret');
});

test('redaction: deep and wide bodies and a thousand rules are no trouble', () => {
  const rules = Array.from({ length: 400 }, (_, n): RedactRule => ({ do: 'mask', at: `**.a.*.*.*.*.*.*.k${n}` }));
  const deep = `${'{"a":'.repeat(10_000)}"secret"${'}'.repeat(10_000)}`;
  expect(redacted({ requestBody: deep }, ...rules, { do: 'mask', at: '**.b' }).requestBody).not.toContain('secret');
  const keys = Object.fromEntries(Array.from({ length: 6_000 }, (_, n) => [`k${n}`, 0]));
  const { requestBody } = redacted({ requestBody: JSON.stringify(keys) }, { do: 'mask', at: '**.b' });
  expect(JSON.parse(requestBody)).toEqual(keys);
  const wide = JSON.stringify(Object.fromEntries(Array.from({ length: 4_000 }, (_, n) => [`k${n}`, { b: 'secret' }])));
  expect(redacted({ requestBody: wide }, { do: 'mask', at: '**.b' }).requestBody).not.toContain('secret');
});

const secret = 'zqSecretzq';
const json = fc.letrec<{ node: unknown }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small' },
    fc.jsonValue(),
    fc.record({ password: fc.constantFrom<unknown>(secret, [secret], { [secret]: secret }), near: tie('node') }),
    fc.array(tie('node'), { maxLength: 4 }),
  ),
})).node;
const form = fc.constantFrom<(values: unknown[]) => string>(
  (values) => JSON.stringify(values),
  (values) => JSON.stringify(values, null, 2),
  (values) => JSON.stringify(values).slice(0, -1),
  (values) => values.map((value) => `data: ${JSON.stringify(value)}\n\n`).join(''),
  (values) =>
    values.map((value) => `data: ${JSON.stringify(value, null, 1).replaceAll('\n', '\r\ndata: ')}\r\n\r\n`).join(''),
  (values) => values.map((value) => `event: ${JSON.stringify(value)}\n`).join(''),
  (values) => values.map((value) => `${JSON.stringify(value)}\n`).join(''),
);

test('redaction: whatever the body and its form, nothing that a rule hides is in the record', () => {
  fc.assert(
    fc.property(fc.array(json, { maxLength: 4 }), form, fc.boolean(), (values, write, asBytes) => {
      const text = write(values);
      const body = asBytes ? Buffer.from(text) : text;
      const record = redacted({ requestBody: body, responseBody: body }, { do: 'mask', at: '**.password' });
      expect(JSON.stringify(record)).not.toContain(secret);
    }),
    { numRuns: 500 },
  );
});
