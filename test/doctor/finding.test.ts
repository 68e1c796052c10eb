import { expect, test } from 'vitest';
import { findingsOn, worstOf } from '../../doctor/finding.ts';
import { createSecretHider } from '../../doctor/secrets.ts';
import { byteSize } from '../../shared/platform/byte-size.ts';

const on = findingsOn('redis');
const ok = on.ok('memory', 'fine');
const warning = on.warning('clock', 'slow', 'set it');
const failure = on.failure('connection', 'gone', 'start it');

test('finding: the worst of the findings is the worst of all', () => {
  expect([[], [ok], [ok, warning], [failure, ok, warning]].map(worstOf)).toEqual(['ok', 'ok', 'warning', 'failure']);
});

test('secrets: a password is blanked as it stands in the URL and as it is sent', () => {
  const hide = createSecretHider(['redis://:p%40ssword@host', null, 'postgresql://u@h/d?password=hunter22']);
  expect(hide('p%40ssword, p@ssword, hunter22 and host')).toBe('[hidden], [hidden], [hidden] and host');
});

test('secrets: without a password nothing is blanked', () => {
  expect(createSecretHider(['redis://host:6379'])('host 6379')).toBe('host 6379');
});

test.for([
  [0, '0 B'],
  [1_023, '1023 B'],
  [1_024, '1.0 KiB'],
  [1.5 * 1_024 ** 2, '1.5 MiB'],
  [3 * 1_024 ** 5, '3072.0 TiB'],
] as const)('sizes: %i is %s', ([bytes, text]) => {
  expect(byteSize(bytes)).toBe(text);
});
