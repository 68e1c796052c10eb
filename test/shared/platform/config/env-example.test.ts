import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { loadConfig, variableNames } from '../../../../shared/platform/config/config.ts';
import { expected } from '../../../support/config-variables.ts';

const lines = readFileSync(new URL('../../../../.env.example', import.meta.url), 'utf8').split('\n');
const assignments = lines.flatMap((line, index) => {
  const [, name, value] = /^# ([A-Z][A-Z0-9_]*)=(.*)$/.exec(line) ?? [];
  return name === undefined || value === undefined ? [] : [{ name, value, before: lines[index - 1] ?? '' }];
});

test('.env.example: it lists every variable, once, in our order', () => {
  expect(assignments.map(({ name }) => name)).toEqual(variableNames);
});

test('.env.example: nothing in it is set, so that a copy changes nothing', () => {
  expect(lines.filter((line) => line !== '' && !line.startsWith('#'))).toEqual([]);
});

test.each(assignments)('.env.example: $name is explained, and has its default', ({ name, value, before }) => {
  expect(before).toMatch(/^# \S/);
  expect(before).not.toMatch(/^# [A-Z][A-Z0-9_]*=/);
  if (value === '') expect(expected[name]?.fallback).toBeNull();
  else expect(expected[name]?.read(loadConfig({ [name]: value }))).toBe(expected[name]?.fallback);
});
