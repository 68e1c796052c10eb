import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { toCleanError } from '../../../../producers/core/clean-error.ts';
import { toLoggedError } from '../../../../shared/platform/logging/logged-error.ts';

const secret = 'zq-s3cret';

/** An error with a field of a value, as clients hang it there. */
function anError(message: string, fields: object = {}, options: ErrorOptions = {}): Error {
  return Object.assign(new Error(message, options), fields);
}

function thrownBy(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}

test('logged error: it has type, message, code and the places in the source, with those of its causes', () => {
  class QueueError extends Error {}
  const error = new QueueError('no answer', { cause: anError('gone', { code: 'ECONNRESET' }) });
  const logged = toLoggedError(error);
  expect(logged).toEqual({
    type: 'QueueError',
    message: 'no answer: gone',
    code: 'ECONNRESET',
    stack: expect.stringMatching(
      /^QueueError: no answer\n +at .*logged-error\.test\.ts(.|\n)*\ncaused by: Error: gone\n +at /,
    ),
  });
});

test('logged error: of several that happened at once each is told', () => {
  const error = new AggregateError(
    [anError('connect ECONNREFUSED ::1:1'), anError('connect ECONNREFUSED 127.0.0.1:1')],
    '',
  );
  expect(toLoggedError(error).message).toBe('connect ECONNREFUSED ::1:1: connect ECONNREFUSED 127.0.0.1:1');
});

test.each<[what: string, thrown: unknown]>([
  [
    'fields',
    anError('x', {
      command: { name: 'auth', args: [secret] },
      client: { password: secret },
      detail: `Key (id)=(${secret})`,
    }),
  ],
  ['fields of a cause', anError('x', {}, { cause: anError('y', { command: { args: [secret] } }) })],
  ['a cause that is no error', anError('x', {}, { cause: { body: secret } })],
  ['a code that may be any text', anError('x', { code: `${secret} and more` })],
  ['a name that may be any text', anError('x', { name: `${secret} and more` })],
  [
    'the first line of the stack',
    Object.assign(anError('x'), { stack: `Error: ${secret}\n    at here (file.ts:1:1)` }),
  ],
  ['the password of a URL', anError(`cannot connect to redis://default:${secret}@host:6379`)],
  ['the input of a URL', thrownBy(() => new URL(`redis://${secret}:x@:y`))],
  ['a text that is no JSON', thrownBy(() => JSON.parse(`{"a":${secret}}`))],
  ['an argument of the wrong kind', thrownBy(() => Buffer.alloc(secret as unknown as number))],
  ['arguments of a command', anError(`ERR unknown command 'EVALSHA', with args beginning with: '${secret}' 'a'`)],
  [
    'a value that the database cannot read',
    anError(`invalid input syntax for type integer: "${secret}"`, { severity: 'ERROR', code: '22P02' }),
  ],
  ['what a trigger says', anError(`not with me, ${secret}`, { severity: 'ERROR', code: 'P0001' })],
  [
    'arguments that Prisma refuses',
    anError(`Invalid \`create()\` invocation: { data: { body: "${secret}" } }`, {
      name: 'PrismaClientValidationError',
    }),
  ],
  ['a text', secret],
  ['an object', { message: secret, body: secret }],
  [
    'one that cannot be read',
    Object.defineProperty(new Error('x'), 'message', {
      get: () => {
        throw new Error(secret);
      },
    }),
  ],
])('logged error: %s are not in it, nor in the error that another logger gets', (_what, thrown) => {
  expect(JSON.stringify(toLoggedError(thrown))).not.toContain(secret);
  const clean = toCleanError(thrown);
  expect(`${inspect(clean, { showHidden: true, depth: 9 })}${clean.stack}${String(clean)}`).not.toContain(secret);
});

test('logged error: circles and endless chains end', () => {
  const circle = new Error('round');
  circle.cause = circle;
  expect(toLoggedError(circle).message).toBe('round');
  let deep = new Error('0');
  for (let n = 1; n < 1_000; n += 1) deep = new Error(String(n), { cause: deep });
  expect(toLoggedError(deep).message.length).toBeLessThan(100);
  expect(toLoggedError(new Error('m'.repeat(1_000_000))).message).toHaveLength(1_000);
});
