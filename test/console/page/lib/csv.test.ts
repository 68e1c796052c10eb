import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pageModule } from '../../../support/page-module.ts';

type Value = string | number | boolean | null | undefined;
const { toCsv } = await pageModule<{ toCsv(names: string[], rows: Value[][]): string }>('lib/csv.js');

const fieldOf = (value: Value): string => toCsv(['a'], [[value]]).slice('\uFEFFa\r\n'.length, -2);

test('csv: lines end as in RFC 4180, the first has the names, and the file says that it is UTF-8', () => {
  const text = toCsv(
    ['id', 'name, long'],
    [
      ['a', 'one "two"'],
      ['b', 'x\r\ny'],
      [null, undefined],
    ],
  );
  expect(text).toBe('\uFEFFid,"name, long"\r\na,"one ""two"""\r\nb,"x\r\ny"\r\n,\r\n');
});

test.each([
  '=1+1',
  '+cmd|x',
  '-2+3',
  '@SUM(A1)',
  '\t=1',
  '\r=1',
  '\tx',
  ' =1',
  '\u200b=1',
  '＝1+1',
  '＠x',
  '-',
  '=HYPERLINK("http://x")',
])('csv: %j is a text to a spreadsheet', (text) => {
  expect(fieldOf(text).replace(/^"/, '').startsWith("'")).toBe(true);
});

test.each([
  ['-5', '-5'],
  ['+1.5e3', '+1.5e3'],
  [-5, '-5'],
  [-0.001, '-0.001'],
  [1e21, '1e+21'],
  [true, 'true'],
  ['', ''],
  ['a=b', 'a=b'],
  ['2026-10-25T00:30:00.000Z', '2026-10-25T00:30:00.000Z'],
])('csv: %j stays %s', (value, field) => expect(fieldOf(value)).toBe(field));

/** A reader as RFC 4180 describes it. */
function parse(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  const body = text.slice(1);
  for (const [, quoted, plain, end] of body.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    row.push(quoted?.replaceAll('""', '"') ?? plain ?? '');
    if (end === ',') continue;
    rows.push(row);
    row = [];
  }
  return rows;
}

test('csv: whatever a text is, a reader gets it back, but for the apostrophe of a formula', () => {
  const any = fc.string({
    unit: fc.constantFrom('=', '-', '@', '"', ',', ';', '\n', '\r', '\t', ' ', 'a', '1', 'ü', '😀'),
  });
  fc.assert(
    fc.property(fc.array(fc.array(any, { minLength: 2, maxLength: 2 })), (rows) => {
      const read = parse(toCsv(['a', 'b'], rows)).slice(1);
      expect(read.map((row) => row.map((text) => text.replace(/^'/, '')))).toEqual(rows);
    }),
  );
});
