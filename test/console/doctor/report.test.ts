import { expect, test } from 'vitest';
import { byteSize } from '../../../console/doctor/byte-size.ts';
import { findingsOn, worstOf } from '../../../console/doctor/finding.ts';
import { toLines } from '../../../console/doctor/report.ts';
import { createSecretHider } from '../../../console/doctor/secrets.ts';

const on = findingsOn('redis');
const ok = on.ok('memory', 'fine');
const warning = findingsOn('host').warning('clock', 'slow', 'set it');
const failure = on.failure('connection', 'gone', 'start it');

test('report: a line for each finding, in columns, with symbol, word and remedy, and a sum', () => {
  expect(toLines([ok, warning, failure], { colours: false })).toEqual([
    '✓ ok       redis  memory      fine',
    '! warning  host   clock       slow -> set it',
    '✗ failure  redis  connection  gone -> start it',
    '',
    '1 ok, warnings: 1, failures: 1',
  ]);
});

test('report: colours are around symbol and word only', () => {
  expect(toLines([failure], { colours: true })[0]).toBe(
    '\u001b[31m✗ failure\u001b[0m  redis  connection  gone -> start it',
  );
});

test('report: what a server says neither breaks the line nor speaks to the terminal', () => {
  expect(toLines([on.ok('x', 'a\r\nb\u001b[2Jc')], { colours: false })[0]).toBe('✓ ok       redis  x  a b [2Jc');
});

test('report: the worst of the findings is the worst of all', () => {
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
