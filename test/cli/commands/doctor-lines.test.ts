import { expect, test } from 'vitest';
import { toFindingLines } from '../../../cli/commands/doctor-lines.ts';
import { toText } from '../../../cli/output/line.ts';
import { type Finding, findingsOn } from '../../../doctor/finding.ts';

const on = findingsOn('redis');
const ok = on.ok('memory', 'fine');
const warning = findingsOn('host').warning('clock', 'slow', 'set it');
const failure = on.failure('connection', 'gone', 'start it');

function linesOf(findings: readonly Finding[], { colours } = { colours: false }): string[] {
  return toFindingLines(findings).map((line) => toText(line, { colours }));
}

test('report: a line for each finding, in columns, with symbol, word and remedy, and a sum', () => {
  expect(linesOf([ok, warning, failure])).toEqual([
    '✓ ok       redis  memory      fine',
    '! warning  host   clock       slow -> set it',
    '✗ failure  redis  connection  gone -> start it',
    '',
    '1 ok, warnings: 1, failures: 1',
  ]);
});

test('report: colours are around symbol and word only', () => {
  expect(linesOf([failure], { colours: true })[0]).toBe(
    '\u001b[31m✗ failure\u001b[39m  redis  connection  gone -> start it',
  );
});

test('report: what a server says neither breaks the line nor speaks to the terminal', () => {
  expect(linesOf([on.ok('x', 'a\r\nb\u001b[2Jc')])[0]).toBe('✓ ok       redis  x  a b\\x1b[2Jc');
});
