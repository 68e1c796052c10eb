import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Line, toText } from '../../../cli/output/line.ts';
import { type Column, toTable } from '../../../cli/output/table.ts';
import { widthOf } from '../../../cli/output/width.ts';

interface Row {
  id: string;
  text: string;
  count: number;
}

const shape: Column<Row>[] = [
  { title: 'id', cell: ({ id }) => id },
  { title: 'text', cell: ({ text }) => text, min: 4 },
  { title: 'count', cell: ({ count }) => String(count), align: 'right', optional: true },
];
const rows: Row[] = [
  { id: 'one', text: 'short', count: 7 },
  { id: 'two', text: 'a text that is long', count: 1_234 },
];
const show = (lines: readonly Line[]): string[] => lines.map((line) => toText(line, { colours: false }));

test('table: without a terminal nothing is cut', () => {
  expect(show(toTable(shape, rows, { columns: null }))).toEqual([
    'id   text                 count',
    'one  short                    7',
    'two  a text that is long   1234',
  ]);
});

test('table: on a narrow terminal the longest text is cut, then optional columns go, and ids stay whole', () => {
  expect(show(toTable(shape, rows, { columns: 24 }))).toEqual([
    'id   text          count',
    'one  short             7',
    'two  a text that…   1234',
  ]);
  expect(show(toTable(shape, rows, { columns: 12 }))).toEqual(['id   text', 'one  short', 'two  a text…']);
  expect(show(toTable(shape, rows, { columns: 9 }))).toEqual(['id   text', 'one  sho…', 'two  a t…']);
});

test('table: what may not be cut is wrapped, and no number loses its end', () => {
  const wide: Column<Row>[] = [
    { title: 'text', cell: ({ text }) => text, min: 4 },
    { title: 'recorded', cell: ({ count }) => String(count * 1_000), align: 'right' },
    { title: 'stored', cell: ({ count }) => String(count), align: 'right' },
    { title: 'missing', cell: () => ({ text: '0', tone: 'bad' }), align: 'right' },
    { title: 'id', cell: ({ id }) => id },
  ];
  expect(show(toTable(wide, rows, { columns: 20 }))).toEqual([
    'text        recorded',
    '  stored  missing',
    '  id',
    'short           7000',
    '       7        0',
    '  one',
    'a text th…   1234000',
    '    1234        0',
    '  two',
  ]);
  // Narrower than a number is: the terminal may wrap it.
  expect(show(toTable(wide, rows, { columns: 6 }))).toContain('   1234000');
});

test('table: no figure is cut, however narrow the terminal is', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.nat(), { minLength: 4, maxLength: 4 }), { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 60 }),
      (figures, columns) => {
        const shapes = [0, 1, 2, 3].map(
          (place): Column<number[]> => ({ title: `c${place}`, cell: (row) => `${row[place]}`, align: 'right' }),
        );
        const named: Column<number[]> = { title: 'name', cell: () => 'a long name', min: 4 };
        const words = show(toTable([named, ...shapes], figures, { columns })).flatMap((line) => line.split(/ +/));
        for (const figure of figures.flat()) expect(words).toContain(`${figure}`);
        const most = Math.max(...figures.flat().map((figure) => `${figure}`.length)) + 2;
        if (columns < most) return;
        for (const line of show(toTable([named, ...shapes], figures, { columns })))
          expect(widthOf(line)).toBeLessThanOrEqual(columns);
      },
    ),
  );
});

test('table: what a stored text would do to the terminal is neither done nor counted wrongly', () => {
  const table = show(
    toTable(shape, [{ id: 'x', text: '\u001b[2J', count: 1 }, ...rows.slice(0, 1)], { columns: null }),
  );
  expect(table).toEqual(['id   text     count', 'x    \\x1b[2J      1', 'one  short        7']);
});

test('table: no line is wider than the terminal as long as every text may be cut', () => {
  const cell = fc.string({ unit: fc.constantFrom('a', 'é', '日', '👩‍👩‍👧', '\u0007', ' ') });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(cell, cell, cell), { maxLength: 5 }),
      fc.integer({ min: 11, max: 60 }),
      (cells, columns) => {
        const three: Column<[string, string, string]>[] = [
          { title: 'a', cell: ([a]) => a, min: 3 },
          { title: 'b', cell: ([, b]) => b, min: 3, align: 'right' },
          { title: 'c', cell: ([, , c]) => ({ text: c, tone: 'bad' }), min: 1 },
        ];
        for (const line of show(toTable(three, cells, { columns }))) expect(widthOf(line)).toBeLessThanOrEqual(columns);
      },
    ),
  );
});
