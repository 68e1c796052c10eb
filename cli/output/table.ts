import { cutLine, type Line, type Span } from './line.ts';
import { printable } from './printable.ts';
import { cutToWidth, padToWidth, widthOf } from './width.ts';

/** A column of a table, and how it shrinks if the terminal is narrow. */
export interface Column<Row> {
  title: string;
  cell(row: Row): string | Span;
  /** @default left */
  align?: 'left' | 'right';
  /** the width that it may be cut to; without it, the column is never cut, such as an id that is to be copied */
  min?: number;
  /** true: left out before anything is cut at the edge of the terminal; the last such column goes first */
  optional?: boolean;
}

const gap = '  ';

/**
 * A table as lines: a heading, then a line for each row. If it is wider than the terminal, the widest columns that may be cut are
 * cut first, then optional ones are left out; what is still too wide is cut at the edge. Without a terminal nothing is cut, so
 * that a program finds every value complete.
 *
 * @param columns of the terminal; null: there is none
 */
export function toTable<Row>(
  shape: readonly Column<NoInfer<Row>>[],
  rows: readonly Row[],
  { columns }: { columns: number | null },
): Line[] {
  const cells = rows.map((row) => shape.map((column) => toSpan(column.cell(row))));
  const natural = shape.map(({ title }, index) =>
    Math.max(widthOf(title), ...cells.map((line) => widthOf(line[index]?.text ?? ''))),
  );
  const widths = chooseWidths(shape, natural, columns);
  const shown = widths.flatMap((width, index) => (width === null ? [] : [{ index, width }]));
  const lineOf = (texts: readonly (Span | { text: string; tone: null })[]): Line =>
    shown.flatMap(({ index, width }, place) => {
      const { text, tone } = texts[index] ?? { text: '', tone: null };
      const padded = padToWidth(cutToWidth(text, width), width, shape[index]?.align ?? 'left');
      const span = tone === null ? padded : { text: padded, tone };
      return place === 0 ? [span] : [gap, span];
    });
  const head = shape.map(({ title }): Span => ({ text: title, tone: 'strong' }));
  return [lineOf(head), ...cells.map(lineOf)].map((line) => cutLine(line, columns));
}

function toSpan(cell: string | Span): Span | { text: string; tone: null } {
  // Made printable before it is measured: an escape sequence is longer than the character.
  return typeof cell === 'string' ? { text: printable(cell), tone: null } : { ...cell, text: printable(cell.text) };
}

/** The width of each column; null: it is left out. */
function chooseWidths(
  shape: readonly Column<never>[],
  natural: readonly number[],
  columns: number | null,
): (number | null)[] {
  let widths: (number | null)[] = [...natural];
  if (columns === null) return widths;
  for (let left = shape.length - 1; ; left -= 1) {
    const cut = shrink(shape, widths, columns);
    if (totalOf(cut) <= columns) return cut;
    while (left >= 0 && shape[left]?.optional !== true) left -= 1;
    if (left < 0) return cut;
    widths = widths.map((width, index) => (index === left ? null : width));
  }
}

/** Narrows the widest column that may still be cut, until everything fits or none may be cut. */
function shrink(
  shape: readonly Column<never>[],
  natural: readonly (number | null)[],
  columns: number,
): (number | null)[] {
  const widths = [...natural];
  for (let excess = totalOf(widths) - columns; excess > 0; excess -= 1) {
    let widest = -1;
    for (const [index, width] of widths.entries()) {
      const min = shape[index]?.min;
      if (width === null || min === undefined || width <= min) continue;
      if (widest === -1 || width > (widths[widest] ?? 0)) widest = index;
    }
    if (widest === -1) return widths;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

function totalOf(widths: readonly (number | null)[]): number {
  const shown = widths.filter((width) => width !== null);
  return shown.reduce((sum, width) => sum + width, 0) + gap.length * Math.max(0, shown.length - 1);
}
