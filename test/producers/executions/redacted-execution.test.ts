import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRedaction } from '../../../producers/core/redact.ts';
import { toExecutionRecord } from '../../../producers/executions/execution-record.ts';
import type { RedactRule } from '../../../producers/index.ts';
import { anyValue } from '../../support/any-value.ts';
import { anExecution } from '../../support/execution.ts';
import { context, recordOf } from '../../support/execution-record.ts';
import { unreadableObjects } from '../../support/unreadable.ts';

const key = 'a key of sixteen characters';
const hmac = (text: string) => `hmac-sha256:${createHmac('sha256', key).update(text).digest('hex')}`;
const by = (...rules: RedactRule[]) => ({ redaction: createRedaction({ rules: { rules }, key }) });

const redacted = (fields: object, ...rules: RedactRule[]) => recordOf({ ...anExecution(), ...fields }, by(...rules));
const inputOf = (input: unknown, ...rules: RedactRule[]) => redacted({ input }, ...rules).input;

test('redaction: each path leads to what it names and to nothing else', () => {
  const input = {
    user: { email: 'a', Password: 'b', pets: [{ name: 'c', 'odd key': 'd' }, { name: 'e' }] },
    password: 'f',
  };
  const mask = (at: string | string[]) => inputOf(input, { do: 'mask', at, with: '-' });
  const but = (user: object, rest: object = {}) => ({ user: { ...input.user, ...user }, password: 'f', ...rest });
  expect(mask('input.user.email')).toEqual(but({ email: '-' }));
  expect(mask('INPUT.User.EMAIL')).toEqual(but({ email: '-' }));
  expect(mask('input.**.password')).toEqual(but({ Password: '-' }, { password: '-' }));
  expect(mask('**.password')).toEqual(but({ Password: '-' }, { password: '-' }));
  expect(mask('input.*.password')).toEqual(but({ Password: '-' }));
  expect(mask('input.user.pets[*].name')).toEqual(but({ pets: [{ name: '-', 'odd key': 'd' }, { name: '-' }] }));
  expect(mask('input.user.pets[1].name')).toEqual(but({ pets: [input.user.pets[0], { name: '-' }] }));
  expect(mask('input.user.pets[0]["odd key"]')).toEqual(but({ pets: [{ name: 'c', 'odd key': '-' }, { name: 'e' }] }));
  expect(mask('input.user')).toEqual({ user: '-', password: 'f' });
  expect(mask('input')).toBe('-');
  expect(mask(['input.user.email', 'input.password'])).toEqual(but({ email: '-' }, { password: '-' }));
  expect(mask('input.nobody.here')).toEqual(input);
});

test('redaction: what is dropped is gone, and its neighbours in a list keep their places', () => {
  const input = { a: 1, list: [1, 2, 3] };
  expect(inputOf(input, { do: 'drop', at: 'input.a' })).toEqual({ list: [1, 2, 3] });
  expect(inputOf(input, { do: 'drop', at: 'input.list[1]' })).toEqual({ a: 1, list: [1, null, 3] });
  expect(inputOf(input, { do: 'drop', at: 'input' })).toBeUndefined();
  expect(redacted({ externalUserId: 'u' }, { do: 'drop', at: 'externalUserId' }).externalUserId).toBeUndefined();
  const trace = [{ nodeId: 'n', type: 'field', value: 1 }];
  expect(redacted({ trace }, { do: 'drop', at: 'trace' }).trace).toEqual([null]);
  expect(redacted({ trace }, { do: 'mask', at: 'trace' }).trace).toEqual(['[redacted]']);
});

test('redaction: equal values have equal hashes, and a hash is not hashed again', () => {
  const hash: RedactRule = { do: 'hash', at: ['externalUserId', 'input.**.id'] };
  const first = redacted(
    { externalUserId: 'ann', input: { id: 'ann', deep: { id: { b: [1, true] } }, n: { id: 7 } } },
    hash,
  );
  expect(first).toMatchObject({
    externalUserId: hmac('ann'),
    input: { id: hmac('ann'), deep: { id: hmac('{"b":[1,true]}') }, n: { id: hmac('7') } },
    notes: '4 values redacted',
  });
  const again = redacted({ externalUserId: first.externalUserId, input: first.input }, hash);
  expect(again.externalUserId).toBe(first.externalUserId);
  expect(again.input).toEqual(first.input);
  expect(again.notes).toBeUndefined();
  const cyclic: Record<string, unknown> = {};
  cyclic['self'] = cyclic;
  expect(inputOf({ id: cyclic }, hash)).toEqual({ id: '[redacted]' });
});

test('redaction: of several rules for one value the strongest counts', () => {
  const rules: RedactRule[] = [
    { do: 'hash', at: 'input.a' },
    { do: 'mask', at: '**.a', with: '-' },
    { do: 'mask', at: 'input.*', with: '+' },
  ];
  expect(inputOf({ a: 1 }, ...rules)).toEqual({ a: '-' });
  expect(inputOf({ a: 1 }, ...rules, { do: 'drop', at: 'input.a' })).toEqual({});
});

test('redaction: a trace entry that read a part of the input is under the rules for that part, and nodes have names', () => {
  const trace = [
    { nodeId: 'n1', type: 'field', value: 'ann@x.org', path: 'user.email' },
    { nodeId: 'n2', type: 'field', value: { email: 'ann@x.org', age: 3 }, path: 'user' },
    { nodeId: 'n3', type: 'lookupPerson', value: { name: 'Ann' } },
    { nodeId: 'n4', type: 'field', value: { ssn: '1', other: 2 } },
    { nodeId: 'n5', type: 'field', value: 5, path: 'user.age' },
  ];
  const record = redacted(
    { trace },
    { do: 'mask', at: ['input.user.email', 'trace[*].value.ssn'] },
    { do: 'drop', nodes: ['lookupPerson'] },
    { do: 'mask', nodes: ['N5'], with: '-' },
  );
  expect(record.trace).toEqual([
    { ...trace[0], value: '[redacted]' },
    { ...trace[1], value: { email: '[redacted]', age: 3 } },
    { nodeId: 'n3', type: 'lookupPerson' },
    { ...trace[3], value: { ssn: '[redacted]', other: 2 } },
    { ...trace[4], value: '-' },
  ]);
  expect(record.notes).toBe('5 values redacted');
});

test.each<[unknown, string]>([
  ['user.email', 'input.user.email'],
  ['data.user.email', 'input.user.email'],
  ['$["user"].email', 'input.user.email'],
  [['user', 'email'], 'input.user.email'],
  [['list', 0], 'input.list[0]'],
  ['user["e.mail"]', 'input.user["e.mail"]'],
  ["user['e.mail']", 'input.user["e.mail"]'],
  ['user.e.mail', 'input.user["e.mail"]'],
  ['user.email', 'input["user.email"]'],
  ['user.list[0].e.mail.x', 'input.user.list[*]["e.mail"]'],
  ['cafe\u0301', 'input.caf\u00e9'],
])('redaction: an entry that read %j is under the rule for %s', (path, at) => {
  const trace = [{ nodeId: 'n1', type: 'field', value: 'secret', path }];
  expect(redacted({ trace }, { do: 'mask', at }).trace).toEqual([{ ...trace[0], value: '[redacted]' }]);
});

test('redaction: a path of any length, and of anything, is no trouble', () => {
  const names = Array.from({ length: 100_000 }, () => 'a');
  const rules = Array.from({ length: 100 }, (_, n): RedactRule => ({ do: 'mask', at: `input.**.a.*.*.*.*.a.k${n}` }));
  const traceOf = (path: unknown) => redacted({ trace: [{ nodeId: 'n', path, value: 1 }] }, ...rules).trace;
  for (const path of [names.join('.'), names])
    expect(JSON.stringify(traceOf(path)).length).toBeLessThan(context.maxBytes);
  for (const path of ['[', '', '["', [{}, null], {}, 7])
    expect(traceOf(path)).toEqual([{ nodeId: 'n', path, value: 1 }]);
  expect(traceOf([{ toString: 1 }])).toEqual(['[unreadable]']);
});

test('redaction: entries are named by numbers, too, and may be a Map', () => {
  const trace = [
    { nodeId: 5, value: 'secret' },
    new Map<string, unknown>([
      ['nodeId', '5'],
      ['value', 'secret'],
    ]),
    new Map<string, unknown>([
      ['path', 'user.email'],
      ['value', 'secret'],
    ]),
  ];
  const rules: RedactRule[] = [
    { do: 'mask', nodes: ['5'] },
    { do: 'mask', at: 'input.user.email' },
  ];
  expect(JSON.stringify(redacted({ trace }, ...rules).trace)).not.toContain('secret');
});

test('redaction: names of keys are the same with accents in either form', () => {
  const input = { 'cafe\u0301': 1, 'CAF\u00c9': 2, '\u212bngstr\u00f6m': 3, cafe: 4 };
  expect(inputOf(input, { do: 'drop', at: ['input.caf\u00e9', 'input.A\u030angstro\u0308m'] })).toEqual({ cafe: 4 });
});

test('redaction: what is found is replaced within texts, numbers, keys, messages and notes', () => {
  const record = redacted(
    {
      status: 'error',
      errorMessage: `${'x'.repeat(4_090)} ann@example.org`,
      externalUserId: 'ann@example.org',
      points: 'ann@example.org',
      caseName: ['ann@example.org'],
      input: { 'ann@example.org': 1, 'bob@example.org': 2, card: 4_111_111_111_111_111, text: 'from ann@example.org.' },
      trace: [{ nodeId: 'n', type: 'field', value: new Error('no ann@example.org') }],
    },
    { do: 'mask', find: ['email', 'creditCard'], with: '-' },
  );
  expect(record).toMatchObject({
    errorMessage: `${'x'.repeat(4_090)} -`,
    externalUserId: '-',
    caseName: '[redacted]',
    input: { '-': 1, '-~1': 2, card: '-', text: 'from -.' },
    trace: [{ value: 'Error: no -' }],
  });
  expect(record.notes).toContain('points: "-" is no number');
  expect(JSON.stringify(record)).not.toMatch(/ann|bob|4111/);
});

test('redaction: numbers of cards are found in numbers that are negative, have a fraction, or lost digits', () => {
  const cards: RedactRule = { do: 'mask', find: ['creditCard'], with: '-' };
  const input = [
    -4_111_111_111_111_111,
    411_111_111_111_111.5,
    ...['6212345678901234567', '4000000000000000006'].map(Number),
  ];
  expect(inputOf(input, cards)).toEqual(['--', 411_111_111_111_111.5, '-', '-']);
  expect(inputOf(input[2], { do: 'hash', find: ['creditCard'] })).toBe('[redacted]');
  const others = [
    1_764_276_000_000, 1_764_276_000_000.5, 123_456_789_012_345_680_000, 1e300, 1_234_567_890_123_456_800,
  ];
  expect(inputOf(others, cards)).toEqual(others);
});

test('redaction: a rule of what is found keeps to its place, and drops or hashes parts', () => {
  const input = { note: 'a@x.org b', other: 'a@x.org', deep: { note: 'see a@x.org' } };
  expect(inputOf(input, { do: 'drop', find: ['email'], at: 'input.note' })).toEqual({ ...input, note: ' b' });
  expect(inputOf(input, { do: 'hash', find: ['email'], at: 'input.deep' })).toEqual({
    ...input,
    deep: { note: `see ${hmac('a@x.org')}` },
  });
});

test("redaction: the caller's objects stay as they are, and what no rule concerns is stored as without rules", () => {
  const input = Object.freeze({
    a: Object.freeze({ password: 'p' }),
    b: [Object.freeze({ password: 'p' })],
    when: new Date(0),
  });
  const copy = structuredClone(input);
  inputOf(input, { do: 'drop', at: '**.password' }, { do: 'mask', find: ['email'] });
  expect(input).toEqual(copy);
  const id = { id: '0199a000-0000-4000-8000-000000000001' };
  const plain = recordOf({ ...anExecution(), ...id });
  const none = recordOf({ ...anExecution(), ...id }, by({ do: 'mask', at: 'input.nowhere' }));
  expect(none).toEqual(plain);
});

test('redaction: Map, Set, toJSON, getters, classes and cycles hide nothing', () => {
  class Person {
    password = 'secret';
  }
  const cyclic: Record<string, unknown> = { password: 'secret' };
  cyclic['self'] = cyclic;
  let calls = 0;
  const input = {
    map: new Map<unknown, unknown>([
      ['password', 'secret'],
      ['k', { password: 'secret' }],
    ]),
    set: new Set([{ password: 'secret' }]),
    json: { toJSON: () => ({ password: 'secret' }) },
    person: new Person(),
    cyclic,
    get fickle() {
      calls += 1;
      return { [calls === 1 ? 'harmless' : 'password']: 'secret'.slice(0, calls === 1 ? 0 : 6) };
    },
    unreadable: unreadableObjects,
  };
  const record = redacted({ input, trace: [input] }, { do: 'mask', at: '**.password', with: '-' });
  expect(JSON.stringify(record)).not.toContain('secret');
  expect(record.notes).toMatch(/\d+ values redacted, parts left out that the rules could not look into: \d+/);
});

test('redaction: bytes, and classes that have a form of their own, are stored as without rules', () => {
  class Fault extends Error {
    toJSON = () => 'never stored';
  }
  class Names extends Map<string, number> {
    toJSON = () => 'never stored';
  }
  const values = () => [Buffer.from('ann@example.org'), new Uint8Array([1]), new Fault('f'), new Names([['n', 1]])];
  const plain = recordOf({ ...anExecution(), input: values(), trace: values() });
  const record = redacted({ input: values(), trace: values() }, { do: 'mask', find: ['email'] });
  expect([record.input, record.trace]).toEqual([plain.input, plain.trace]);
  expect(record.input).toEqual(['[15 bytes]', '[1 bytes]', 'Error: f', [['n', 1]]]);
});

/** In any value, a secret under a name. */
const secret = 'zqSecretzq';
const hiddenSecret = fc.constantFrom<() => unknown>(
  () => secret,
  () => [secret, { [secret]: secret }],
  () => new Map([[secret, secret]]),
  () => new Set([secret]),
  () => new Error(secret),
  () => ({ toJSON: () => secret }),
  () => Object(secret),
);
const tree = fc.letrec<{ node: unknown }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small' },
    anyValue,
    fc.record({ password: hiddenSecret.map((make) => make()), near: tie('node') }),
    fc.array(tie('node'), { maxLength: 4 }),
    tie('node').map(
      (value) =>
        new Map([
          ['password', secret as unknown],
          ['other', value],
        ]),
    ),
    tie('node').map((value) => ({ toJSON: () => value })),
    fc.dictionary(fc.string({ maxLength: 4 }), tie('node'), { maxKeys: 4 }),
  ),
})).node;

test('redaction: whatever is recorded, nothing that a rule hides is in the text, and the record keeps its contract', () => {
  fc.assert(
    fc.property(tree, tree, fc.constantFrom<RedactRule['do']>('drop', 'mask', 'hash'), (input, value, what) => {
      const fields = { input, trace: [{ nodeId: 'n', type: 'field', value }, value] };
      expect(JSON.stringify(redacted(fields, { do: what, at: '**.password' }))).not.toContain(secret);
    }),
    { numRuns: 300 },
  );
});

const mail = 'zq.ann@example.org';
const anyField = fc.constantFrom(
  ...['externalUserId', 'externalGameId', 'errorMessage', 'failedNodeId', 'caseName', 'points', 'durationMs'],
  ...['status', 'attempt', 'recordedAt', 'id', 'input', 'trace', 'nodesExecuted', 'traceId'],
);
const withMail = fc
  .tuple(fc.string({ maxLength: 80 }), fc.string())
  .map(([before, after]) => `${before} ${mail} ${after}`);

test('redaction: whatever field has an e-mail address, none is in the text', () => {
  const nested = fc.oneof(
    withMail,
    withMail.map((text) => [{ [text]: text }]),
    withMail.map((text) => new Map([[text, new Error(text)]])),
    withMail.map((text) => ({ toString: () => text.slice(-30) })),
  );
  fc.assert(
    fc.property(anyField, nested, (field, value) => {
      const given = { ...anExecution(), [field]: value };
      const { json } = toExecutionRecord(given as never, { ...context, ...by({ do: 'mask', find: ['email'] }) });
      expect(json).not.toContain('zq.ann');
    }),
    { numRuns: 300 },
  );
});

test('redaction: wide, deep, long and huge input is bounded, and nothing hidden is left in what is kept', () => {
  const rules: RedactRule[] = [
    { do: 'mask', at: '**.password' },
    { do: 'mask', find: ['email'] },
  ];
  const wide = Object.fromEntries(Array.from({ length: 200_000 }, (_, n) => [`k${n}`, { password: secret }]));
  let deep: unknown = { password: secret };
  for (let level = 0; level < 10_000; level += 1) deep = level % 2 === 0 ? [deep] : { deep, password: secret };
  const long = `${'x '.repeat(1_000_000)}${mail}`;
  const huge = 'x'.repeat(20_000_000) + mail;
  const trace = Array.from({ length: 300_000 }, (_, n) => ({
    nodeId: `n${n}`,
    type: 'field',
    value: { password: secret },
  }));
  for (const input of [wide, deep, long, huge, { a: long, b: huge, wide, deep, password: trace }, trace]) {
    for (const traceLimit of [200, 0]) {
      const record = recordOf({ ...anExecution(), input, trace }, { ...by(...rules), traceLimit });
      const text = JSON.stringify(record);
      expect(text).not.toContain(secret);
      expect(text).not.toContain('zq.ann');
      expect(record.notes).toContain('redacted');
    }
  }
});

test('redaction: of a long trace the head and the tail are kept', () => {
  const trace = Array.from({ length: 60_000 }, (_, n) => ({
    nodeId: `n${n}`,
    type: 'field',
    value: { password: secret },
  }));
  const record = recordOf({ ...anExecution(), trace }, { ...by({ do: 'drop', at: '**.password' }), traceLimit: 0 });
  const kept = record.trace as { nodeId: string }[];
  expect(kept.length).toBeGreaterThan(10);
  expect([kept[0]?.nodeId, kept.at(-1)?.nodeId]).toEqual(['n0', 'n59999']);
  expect(record.traceLength).toBe(60_000);
});
