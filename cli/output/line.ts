import { styleText } from 'node:util';
import { printable } from './printable.ts';
import { cutToWidth, widthOf } from './width.ts';

/** What a part of a line is, for terminals that have colours. */
export type Tone = 'good' | 'warning' | 'bad' | 'faint' | 'strong';

/** A part of a line that stands out. */
export interface Span {
  text: string;
  tone: Tone;
}

/** A line of output. Its texts may be anything at all: they are made printable when the line is written. */
export type Line = string | readonly (string | Span)[];

const styles = { good: 'green', warning: 'yellow', bad: 'red', faint: 'dim', strong: 'bold' } as const;

/** A line as it is written. Every text goes through here, so that none that was stored speaks to the terminal. */
export function toText(line: Line, { colours }: { colours: boolean }): string {
  return spansOf(line)
    .map((span) => {
      const shown = printable(typeof span === 'string' ? span : span.text);
      return typeof span === 'string' || !colours || shown === ''
        ? shown
        : // Whether there are colours is decided by the caller, for its own stream.
          styleText(styles[span.tone], shown, { validateStream: false });
    })
    .join('')
    .trimEnd();
}

/**
 * A line without what does not fit. For lines that are only in the way when they are wrapped; others are left to the
 * terminal, which wraps them.
 *
 * @param columns of the terminal; null: it is none, and all fits
 */
export function cutLine(line: Line, columns: number | null): Line {
  if (columns === null) return line;
  let room = columns;
  return spansOf(line).map((span) => {
    // Made printable before it is measured: an escape is longer than what it stands for.
    const text = cutToWidth(printable(typeof span === 'string' ? span : span.text), room);
    room -= widthOf(text);
    return typeof span === 'string' ? text : { ...span, text };
  });
}

function spansOf(line: Line): readonly (string | Span)[] {
  return typeof line === 'string' ? [line] : line;
}
