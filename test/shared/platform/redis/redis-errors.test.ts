import { expect, test } from 'vitest';
import { classifyRedisError, explainRedisError, isRefusal } from '../../../../shared/platform/redis/redis-errors.ts';

function reply(message: string): Error {
  return Object.assign(new Error(message), { name: 'ReplyError' });
}

function socket(code: string): Error {
  return Object.assign(new Error(`connect ${code}`), { code, syscall: 'connect', errno: -1 });
}

const script = 'script: 5ab432e8, on @user_script:72.';

test.each([
  [reply("OOM command not allowed when used memory > 'maxmemory'."), 'full', 'OOM'],
  [reply(`OOM command not allowed when used memory > 'maxmemory'. ${script}`), 'full', 'OOM'],
  [
    reply('ERR Error running script (call to f_1): @user_script:1: -OOM command not allowed when used memory'),
    'full',
    'OOM',
  ],
  [
    reply('MISCONF Redis is configured to save RDB snapshots, but it is unable to persist to disk'),
    'unavailable',
    'MISCONF',
  ],
  [reply('MISCONF Errors writing to the AOF file: No space left on device'), 'unavailable', 'MISCONF'],
  [reply("READONLY You can't write against a read only replica."), 'unavailable', 'READONLY'],
  [reply('LOADING Redis is loading the dataset in memory'), 'unavailable', 'LOADING'],
  [reply('NOREPLICAS Not enough good replicas to write.'), 'unavailable', 'NOREPLICAS'],
  [reply(`NOREPLICAS Not enough good replicas to write. ${script}`), 'unavailable', 'NOREPLICAS'],
  [
    reply('ERR Error running script (call to f_1): @user_script:1: -NOREPLICAS Not enough good replicas to write.'),
    'unavailable',
    'NOREPLICAS',
  ],
  [reply('CLUSTERDOWN The cluster is down'), 'unavailable', 'CLUSTERDOWN'],
  [
    reply('BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.'),
    'unavailable',
    'BUSY',
  ],
  [reply('ERR max number of clients reached'), 'unavailable', 'MAXCLIENTS'],
  [reply('MOVED 3999 127.0.0.1:6381'), 'setup', 'MOVED'],
  [reply("CROSSSLOT Keys in request don't hash to the same slot"), 'setup', 'CROSSSLOT'],
  [reply('ERR Script attempted to access a non local key in a cluster node'), 'unavailable', 'TRYAGAIN'],
  [reply("NOPERM this user has no permissions to run the 'evalsha' command"), 'setup', 'NOPERM'],
  [reply("ERR The user executing the script can't run this command or subcommand"), 'setup', 'NOPERM'],
  [reply('NOAUTH Authentication required.'), 'setup', 'NOAUTH'],
  [reply('WRONGPASS invalid username-password pair or user is disabled.'), 'setup', 'WRONGPASS'],
  [reply("ERR unknown command 'EVALSHA', with args beginning with: 'secret'"), 'setup', 'UNKNOWNCOMMAND'],
  [reply('ERR Protocol error: invalid bulk length'), 'payload', 'PROTOCOL'],
  [reply('ERR Protocol error: invalid multibulk length'), 'payload', 'PROTOCOL'],
  [reply('ERR string exceeds maximum allowed size (proto-max-bulk-len)'), 'payload', 'TOOLARGE'],
  [new RangeError('Invalid string length'), 'payload', 'TOOLARGE'],
  [
    Object.assign(new Error('Cannot create a string longer than 0x1fffffe8 characters'), {
      code: 'ERR_STRING_TOO_LONG',
    }),
    'payload',
    'TOOLARGE',
  ],
  [reply(`WRONGTYPE Operation against a key holding the wrong kind of value ${script}`), 'unknown', 'WRONGTYPE'],
  [reply('ERR something that nobody has met'), 'unknown', 'ERR'],
  [Object.assign(new Error('Missing lock for job 1'), { code: -2 }), 'job', '-2'],
  [
    Object.assign(new Error('Command aborted due to connection close'), { name: 'AbortError' }),
    'unanswered',
    'CONNECTION',
  ],
  [new Error('redis did not answer in time'), 'unanswered', 'CONNECTION'],
  [new Error('Connection is closed.'), 'unreachable', 'CONNECTION'],
  [new Error("Stream isn't writeable and enableOfflineQueue options is false"), 'unreachable', 'CONNECTION'],
  [new Error('redis is not connected (reconnecting)'), 'unreachable', 'CONNECTION'],
  [socket('ECONNREFUSED'), 'unreachable', 'ECONNREFUSED'],
  [new TypeError('a is undefined'), 'foreign', 'TypeError'],
  [new RangeError('somewhere else'), 'foreign', 'RangeError'],
  ['text', 'foreign', 'unknown'],
])('redis errors: %s is %s', (error, errorClass, code) => {
  expect(classifyRedisError(error)).toEqual({ class: errorClass, code });
  expect(isRefusal(error)).toBe(['full', 'unavailable', 'setup', 'payload', 'unknown'].includes(errorClass));
});

test('redis errors: of a transaction that was given up, the command counts that was refused', () => {
  const given = Object.assign(new Error('Transaction discarded because of previous errors.'), {
    name: 'AbortError',
    previousErrors: [reply('NOPERM this user has no permissions')],
  });
  expect(classifyRedisError(given)).toEqual({ class: 'setup', code: 'NOPERM' });
});

test('redis errors: the explanation has the code and a remedy, and nothing of what was sent', () => {
  expect(explainRedisError(reply("NOPERM User default has no permissions to run the 'client|list' command"))).toMatch(
    /^NOPERM \(client\|list\): .*docs\/operations\.md/,
  );
  expect(explainRedisError(reply("ERR unknown command 'X', with args beginning with: 'secret'"))).not.toContain(
    'secret',
  );
  expect(explainRedisError(reply('ERR value secret is bad'))).toBe('ERR: check the server and its log');
});
