import { expect, test } from 'vitest';
import { redactMessage, wordsOf } from '../../shared/redact-message.ts';

test.each([
  ['invalid input syntax for type uuid: "secret"', 'invalid input syntax for type uuid: "…"'],
  ['invalid input syntax for type uuid: "a" column "secret"', 'invalid input syntax for type uuid: "…"'],
  ['value "99999999999" is out of range for type integer', 'value "…" is out of range for type integer'],
  [
    'null value in column "must" of relation "strategy_execution_log" violates not-null constraint',
    'null value in column "must" of relation "strategy_execution_log" violates not-null constraint',
  ],
  [
    'new row for relation "request" violates check constraint "never"',
    'new row for relation "request" violates check constraint "never"',
  ],
  ['could not compute MD5 hash: unsupported', 'could not compute MD5 hash: unsupported'],
  ['syntax error at or near "secret"', 'syntax error at or near "…"'],
  ['said in\nseveral   lines', 'said in several lines'],
])('redaction: of %j the log says %j', (message, said) => {
  expect(redactMessage(message)).toBe(said);
});

test('redaction: what a function says is told without words and numbers of the rows', () => {
  const json = JSON.stringify([{ realmId: 'acme corp', points: 12.5, input: { user: 'bob\nsmith', list: ['größe'] } }]);
  const words = wordsOf(json);
  expect(redactMessage('realm acme of bob, smith (größe) has 12.5 points: MD5 unsupported', words)).toBe(
    'realm … of … … … has … points: MD5 unsupported',
  );
});

test('redaction: a message of any length is told to a bounded length', () => {
  expect(redactMessage('x'.repeat(100_000)).length).toBe(500);
});

test('redaction: of JSON that is too long or cannot be read nothing is known', () => {
  expect(wordsOf(`["${'x'.repeat(300_000)}"]`)).toBeNull();
  expect(wordsOf('{')).toBeNull();
});
