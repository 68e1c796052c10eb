/** @typedef {string | number | boolean | null | undefined} CsvValue null and undefined: an empty field */

/** Excel reads a file as UTF-8 only if it begins with this; everything else skips it. */
const byteOrderMark = '\uFEFF';

/**
 * Rows as CSV: RFC 4180, in UTF-8 with a byte order mark. A text that a spreadsheet would run as a formula begins with an
 * apostrophe, which spreadsheets take as the sign of a text. Numbers stay numbers.
 *
 * @param {readonly string[]} names
 * @param {readonly (readonly CsvValue[])[]} rows
 */
export function toCsv(names, rows) {
  return byteOrderMark + [names, ...rows].map((row) => `${row.map(toField).join(',')}\r\n`).join('');
}

/** What a spreadsheet may take for the beginning of a formula, in full width, too, after any white space. */
const formula = /^[\s\p{Cc}\p{Cf}]*[=+\-@＝＋－＠]|^[\t\r\n]/u;
const plainNumber = /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i;

/** @param {CsvValue} value */
function toField(value) {
  if (value === null || value === undefined) return '';
  if (typeof value !== 'string') return String(value);
  const text = formula.test(value) && !plainNumber.test(value) ? `'${value}` : value;
  return /[",;\t\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
