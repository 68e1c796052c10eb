import { describe, expect, test } from 'vitest';
import { loadConfig, variableNames } from '../../../../shared/platform/config/config.ts';
import { problemsOf } from '../../../support/config-problems.ts';
import { expected, roomy, secrets } from '../../../support/config-variables.ts';

test('config: every variable is tested here', () => {
  expect(Object.keys(expected)).toEqual(variableNames);
});

describe.each(Object.entries(expected))('config: %s', (name, { read, fallback, takes, refuses, accepted }) => {
  test(`has the default ${JSON.stringify(fallback)}`, () => {
    expect(read(loadConfig({}))).toBe(fallback);
    expect(read(loadConfig({ [name]: undefined }))).toBe(fallback);
  });

  test('takes what it should', () => {
    for (const [text, value] of takes) expect(read(loadConfig({ ...roomy, [name]: text })), text).toBe(value);
  });

  test('refuses all else, and says what it takes', () => {
    for (const text of refuses) {
      // Of a long value the beginning is shown.
      const quoted = text.length > 70 ? `${JSON.stringify(text).slice(0, 80)}…` : JSON.stringify(text);
      const shown = secrets.includes(name) ? 'has an invalid value (not shown)' : `is ${quoted}`;
      expect(problemsOf({ [name]: text })).toEqual([
        `${name} ${text === '' ? 'is empty' : shown}; accepted: ${accepted}`,
      ]);
    }
  });
});

const tokens = secrets.filter((name) => !name.endsWith('_URL') && !name.startsWith('REDIS_'));

test.each(variableNames.filter((name) => !tokens.includes(name)))(
  'config: %s is as good as not set when it is empty',
  (name) => {
    expect(loadConfig({ [name]: '' })).toEqual(loadConfig({}));
  },
);

test.each(tokens)('config: %s must not be empty, since what it protects would be open', (name) => {
  expect(problemsOf({ [name]: '' })).toEqual([expect.stringMatching(`^${name} is empty; accepted: `)]);
});
