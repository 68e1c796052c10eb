import { styleText } from 'node:util';
import { printable } from './printable.ts';
import { cutToWidth, widthOf } from './width.ts';

/** The meaning of a part of a line, for terminals with colours. */
export type Tone = 'good' | 'warning' | 'bad' | 'faint' | 'strong';

/** A part of a line that stands out. */
export interface Span {
  text: string;
  tone: Tone;
}

/** A line of output. Its texts may be anything: they are made printable when the line is written. */
export type Line = string | readonly (string | Span)[];

const styles = { good: 'green', warning: 'yellow', bad: 'red', faint: 'dim', strong: 'bold' } as const;

/** A line as it is written. Every text passes through here, so that no stored text can control the terminal. */
export function toText(line: Line, { colours }: { colours: boolean }): string {
  return spansOf(line)
    .map((span) => {
      const shown = printable(typeof span === 'string' ? span : span.text);
      return typeof span === 'string' || !colours || shown === ''
        ? shown
        : // The caller decides whether there are colours, for its own stream.
          styleText(styles[span.tone], shown, { validateStream: false });
    })
    .join('')
    .trimEnd();
}

/**
 * A line, cut to the width of the terminal. Only for lines that would be in the way if they were wrapped; the terminal wraps
 * others.
 *
 * @param columns of the terminal; null: there is none, and nothing is cut
 */
export function cutLine(line: Line, columns: number | null): Line {
  if (columns === null) return line;
  let room = columns;
  return spansOf(line).map((span) => {
    // Made printable before it is measured: an escape sequence is longer than the character.
    const text = cutToWidth(printable(typeof span === 'string' ? span : span.text), room);
    room -= widthOf(text);
    return typeof span === 'string' ? text : { ...span, text };
  });
}

function spansOf(line: Line): readonly (string | Span)[] {
  return typeof line === 'string' ? [line] : line;
}
