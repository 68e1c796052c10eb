import type { Line, Span } from './line.ts';
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
  /** true: left out before lines are wrapped; the last such column goes first */
  optional?: boolean;
}

const gap = '  ';

/** Of the lines of a row after its first one. */
const indent = '  ';

/**
 * A table as lines: a heading, then a line for each row. If it is wider than the terminal, the widest columns that may be cut are
 * cut first, then optional ones are left out; what is still too wide is wrapped between columns, in the heading and in each row. A
 * column that may not be cut stays whole in any case: a number without its end is a wrong number. Without a terminal nothing is cut,
 * so that a program finds every value complete.
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
  const blocks = chooseWidths(shape, natural, columns);
  const linesOf = (texts: readonly (Span | { text: string; tone: null })[]): Line[] =>
    blocks.map((widths, block) =>
      widths.flatMap((width, index) => {
        if (width === null) return [];
        const { text, tone } = texts[index] ?? { text: '', tone: null };
        const padded = padToWidth(cutToWidth(text, width), width, shape[index]?.align ?? 'left');
        const span = tone === null ? padded : { text: padded, tone };
        const isFirst = widths.findIndex((other) => other !== null) === index;
        if (!isFirst) return [gap, span];
        return block === 0 ? [span] : [indent, span];
      }),
    );
  const head = shape.map(({ title }): Span => ({ text: title, tone: 'strong' }));
  return [linesOf(head), ...cells.map(linesOf)].flat();
}

function toSpan(cell: string | Span): Span | { text: string; tone: null } {
  // Made printable before it is measured: an escape sequence is longer than the character.
  return typeof cell === 'string' ? { text: printable(cell), tone: null } : { ...cell, text: printable(cell.text) };
}

/** Of each column its width, or null where it is left out. */
type Widths = (number | null)[];

/** The columns of each line of a row. */
function chooseWidths(shape: readonly Column<never>[], natural: readonly number[], columns: number | null): Widths[] {
  let widths: Widths = [...natural];
  if (columns === null) return [widths];
  for (let left = shape.length - 1; ; left -= 1) {
    const cut = shrink(shape, widths, columns);
    if (totalOf(cut) <= columns) return [cut];
    while (left >= 0 && shape[left]?.optional !== true) left -= 1;
    if (left < 0) return wrap(shape, { natural: widths, least: cut }, columns);
    widths = widths.map((width, index) => (index === left ? null : width));
  }
}

/** As many columns on each line as fit with their least widths; there they are as wide as there is room. */
function wrap(
  shape: readonly Column<never>[],
  { natural, least }: { natural: Widths; least: Widths },
  columns: number,
): Widths[] {
  const room = columns - indent.length;
  const lines: number[][] = [];
  let widthOfLine = 0;
  for (const [index, width] of least.entries()) {
    if (width === null) continue;
    const wider = widthOfLine + gap.length + width;
    const line = lines.at(-1);
    if (line !== undefined && wider <= (lines.length === 1 ? columns : room)) {
      line.push(index);
      widthOfLine = wider;
    } else {
      lines.push([index]);
      widthOfLine = width;
    }
  }
  return lines.map((line, number) =>
    shrink(
      shape,
      natural.map((width, index) => (line.includes(index) ? width : null)),
      number === 0 ? columns : room,
    ),
  );
}

/** Narrows the widest column that may still be cut, until everything fits or none may be cut. */
function shrink(shape: readonly Column<never>[], natural: Widths, columns: number): Widths {
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

function totalOf(widths: Widths): number {
  const shown = widths.filter((width) => width !== null);
  return shown.reduce((sum, width) => sum + width, 0) + gap.length * Math.max(0, shown.length - 1);
}
