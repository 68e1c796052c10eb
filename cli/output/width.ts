const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Scripts and emoji that take two columns in a terminal. */
const wide =
  /\p{Emoji_Presentation}|\ufe0f|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]/u;

const plain = /^[\u0020-\u007e]*$/;

/** The columns that a printable text takes in a terminal. */
export function widthOf(text: string): number {
  if (plain.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes.segment(text)) width += widthOfGrapheme(segment);
  return width;
}

/** The text if it fits into the columns, otherwise as much of its beginning as fits, and an ellipsis. */
export function cutToWidth(text: string, columns: number): string {
  if (columns < 1) return '';
  if (plain.test(text)) return text.length <= columns ? text : `${text.slice(0, columns - 1)}…`;
  let width = 0;
  let besideEllipsis = '';
  // Stop at the edge: what a service has stored may be much longer than a line.
  for (const { segment } of graphemes.segment(text)) {
    width += widthOfGrapheme(segment);
    if (width > columns) return `${besideEllipsis}…`;
    if (width < columns) besideEllipsis += segment;
  }
  return text;
}

/** The text padded to the columns with spaces, at its end or, with `right`, at its beginning. */
export function padToWidth(text: string, columns: number, align: 'left' | 'right'): string {
  const space = ' '.repeat(Math.max(0, columns - widthOf(text)));
  return align === 'left' ? text + space : space + text;
}

function widthOfGrapheme(grapheme: string): number {
  return wide.test(grapheme) ? 2 : 1;
}
