/** Text from anywhere, made safe to look at: what cannot be seen, or turns other text around, is named instead. */

/** @typedef {{ kind: 'text' | 'mark', text: string }} Piece of a text as it is, or the name of characters that cannot be seen */

/**
 * Control characters other than tab and line feed; marks of direction; and characters without width, other than those that join emoji
 * and letters. Those of the block of tags can carry a whole message that nobody sees.
 */
const unseen =
  /[[\p{Cc}\p{Bidi_Control}\u00AD\u115F\u1160\u180E\u200B\u2028\u2029\u2060-\u206F\u3164\uFEFF\uFFA0\uFFF9-\uFFFB]--[\t\n\r]]+|[\u{E0000}-\u{E0FFF}]+|\r/gv;

/** More marks than this in one stretch of text are one. */
const maxMarks = 500;

/**
 * @param {string} text
 * @returns {Piece[]}
 */
export function toPieces(text) {
  /** @type {Piece[]} */
  const pieces = [];
  let end = 0;
  for (const match of text.matchAll(unseen)) {
    // Lines that end as in Windows are ordinary lines.
    if (match[0] === '\r' && text[match.index + 1] === '\n') continue;
    if (pieces.length >= 2 * maxMarks) {
      pieces.push({ kind: 'mark', text: 'many more characters that cannot be seen' });
      pieces.push({ kind: 'text', text: text.slice(end).replaceAll(unseen, '') });
      return pieces;
    }
    if (match.index > end) pieces.push({ kind: 'text', text: text.slice(end, match.index) });
    pieces.push({ kind: 'mark', text: nameOf(match[0]) });
    end = match.index + match[0].length;
  }
  if (end < text.length) pieces.push({ kind: 'text', text: text.slice(end) });
  return pieces;
}

/** @param {string} chars */
function nameOf(chars) {
  const all = [...chars];
  const first = `U+${(all[0]?.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
  return all.length === 1 ? first : `${first} and ${all.length - 1} more`;
}

/**
 * The end of a stretch of text of about this length: no character is cut in half, and a line is not cut if one ends shortly before.
 *
 * @param {string} text
 * @param {number} from
 * @param {number} chars
 */
export function stretchEnd(text, from, chars) {
  const most = from + chars;
  if (text.length <= most) return text.length;
  const line = text.lastIndexOf('\n', most - 1) + 1;
  if (line > most - chars / 4) return line;
  const code = text.charCodeAt(most - 1);
  return code >= 0xd800 && code <= 0xdbff ? most - 1 : most;
}
