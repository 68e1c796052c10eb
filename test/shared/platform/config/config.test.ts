import fc from 'fast-check';
import { expect, test } from 'vitest';
import { configGroups, loadConfig, readConfig, requireUrl } from '../../../../shared/platform/config/config.ts';
import { UsageError } from '../../../../shared/platform/errors.ts';
import { noRedis } from '../../../../shared/platform/redis/redis-target.ts';
import { problemsOf } from '../../../support/config-problems.ts';
import { expected } from '../../../support/config-variables.ts';

test('config: all problems are listed at once', () => {
  const wrong = Object.entries(expected).flatMap(
    ([
      name,
      {
        refuses: [first],
      },
    ]) => (first === undefined ? [] : [[name, first]]),
  );
  const problems = problemsOf(Object.fromEntries(wrong));
  expect(problems.map((line) => line.split(' ')[0])).toEqual(wrong.map(([name]) => name));
});

test('config: a process reads the variables of its own groups only', () => {
  const wrong = {
    DATABASE_URL: 'mysql://h/d',
    SLUICE_WORKERS: 'many',
    SLUICE_RETRY_BASE_MS: '60000',
    REDIS_URL: 'redis://h',
  };
  expect(loadConfig(wrong, ['redis', 'namespace'])).toEqual({
    redis: { ...noRedis, url: 'redis://h' },
    namespace: 'sluice',
  });
  expect(() => loadConfig(wrong, ['database'])).toThrow(/^the configuration has 1 problem:\n {2}DATABASE_URL has/);
  expect(() => loadConfig(wrong, ['retry'])).toThrow('SLUICE_RETRY_BASE_MS: 60000 must not exceed');
  expect(problemsOf(wrong).map((line) => line.split(' ')[0])).toEqual(['DATABASE_URL', 'SLUICE_WORKERS']);
});

test('config: a rule between two variables is asked where both are read', () => {
  const wrong = { SLUICE_BATCH_MAX_IN_FLIGHT: '5', SLUICE_WORKER_HOST: '0.0.0.0', SLUICE_CONSOLE_HOST: '0.0.0.0' };
  for (const groups of [['database'], ['batch'], ['retry']] as const)
    expect(() => loadConfig(wrong, groups)).not.toThrow();
  expect(() => loadConfig(wrong, ['batch', 'database'])).toThrow('SLUICE_BATCH_MAX_IN_FLIGHT: 5');
  expect(() => loadConfig(wrong, ['worker'])).toThrow(/^the configuration has 1 problem:\n {2}SLUICE_WORKER_HOST: /);
  expect(() => loadConfig(wrong, ['console'])).toThrow(/^the configuration has 1 problem:\n {2}SLUICE_CONSOLE_HOST: /);
});

test('config: who goes on in spite of problems has defaults instead', () => {
  const { config, problems } = readConfig({ SLUICE_WORKERS: 'many', SLUICE_NAMESPACE: 'mine' }, configGroups);
  expect(problems).toEqual(['SLUICE_WORKERS is "many"; accepted: a whole number from 1 to 64 (processes)']);
  expect(config).toEqual(loadConfig({ SLUICE_NAMESPACE: 'mine' }));
});

test('config: a long wrong value is shown in part', () => {
  const [problem] = problemsOf({ SLUICE_WORKERS: 'x'.repeat(10_000) });
  expect(problem?.length).toBeLessThan(200);
  expect(problem).toContain('…');
});

test('config: a wrong value cannot fake a line of its own', () => {
  expect(problemsOf({ SLUICE_WORKERS: '2\nall is well' })).toHaveLength(1);
});

test('config: no secret is ever in a message', () => {
  const secret = fc.stringMatching(/^[a-z0-9]{8,15}$/).map((text) => `zq${text.slice(0, 12)}`);
  fc.assert(
    fc.property(secret, fc.constantFrom('', 'mysql://u:', 'postgresql:', 'redis:'), (text, prefix) => {
      const problems = problemsOf({
        DATABASE_URL: `${prefix}${text}`,
        REDIS_URL: `${prefix}${text}`,
        SLUICE_METRICS_TOKEN: text,
        SLUICE_API_KEY_PEPPER: text,
        SLUICE_WORKERS: 'wrong',
      });
      expect(problems).toHaveLength(5);
      expect(problems.join('\n')).not.toContain(text);
    }),
  );
});

test('config: no secret is in the message of a rule between two variables', () => {
  const secret = 'hunter2hunter2hunter2';
  const problems = problemsOf({
    DATABASE_URL: `postgresql://u:${secret}@h/d`,
    REDIS_URL: `redis://:${secret}@h`,
    SLUICE_METRICS_TOKEN: secret,
    SLUICE_API_KEY_PEPPER: secret,
    SLUICE_BATCH_MAX_IN_FLIGHT: '5',
  });
  expect(problems).toHaveLength(1);
  expect(problems.join('\n')).not.toContain(secret);
});

test('config: variables of other programs are none of our business', () => {
  expect(loadConfig({ PATH: '/bin', PORT: 'x', NODE_ENV: '' })).toEqual(loadConfig({}));
});

test('requireUrl: what is there is given back, what is missing is named', () => {
  expect(requireUrl('postgres://h', 'DATABASE_URL')).toBe('postgres://h');
  expect(() => requireUrl(null, 'DATABASE_URL')).toThrow(UsageError);
  expect(() => requireUrl(null, 'DATABASE_URL')).toThrow(/^DATABASE_URL is not set\./);
});
