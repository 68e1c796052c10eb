import { type Column, type ColumnKind, type Row, toDigits, toPlain } from '../../../archive/columns.ts';

/** Rows as lines of JSON: numbers and JSON with the stored digits, times as ISO 8601 in UTC. */
export function toNdjson(columns: readonly Column[], rows: readonly Row[]): string {
  const keys = columns.map(({ name }, index) => `${index === 0 ? '{' : ','}${JSON.stringify(name)}:`);
  let lines = '';
  for (const row of rows) {
    for (const [index, { kind }] of columns.entries()) lines += keys[index] + toJson(kind, row[index] ?? null);
    lines += '}\n';
  }
  // JSON allows them in a text, but many line readers treat them as line ends.
  return lines.replaceAll(/[\u2028\u2029]/g, (end) => (end === '\u2028' ? '\\u2028' : '\\u2029'));
}

/** NaN and the infinities, which JSON has no numbers for, become texts, as PostgreSQL writes them into JSON. */
function toJson(kind: ColumnKind, text: string | null): string {
  if (text === null) return 'null';
  switch (kind) {
    case 'integer':
    case 'bigint':
    case 'boolean':
    case 'json':
      return text;
    case 'double': {
      const digits = toDigits(text);
      return Number.isFinite(Number(digits)) ? digits : JSON.stringify(digits);
    }
    case 'time':
    case 'uuid':
    case 'text':
      return JSON.stringify(toPlain(kind, text));
  }
}

/** The first line of a CSV file. */
export function toCsvHead(columns: readonly Column[]): string {
  return `${columns.map(({ name }) => quote(name)).join(',')}\r\n`;
}

/** Rows as in RFC 4180. Null is an empty field; an empty text is an empty field in quotes. */
export function toCsv(columns: readonly Column[], rows: readonly Row[]): string {
  let lines = '';
  for (const row of rows) {
    for (const [index, { kind }] of columns.entries()) {
      const text = row[index] ?? null;
      lines += (index === 0 ? '' : ',') + (text === null ? '' : quote(toPlain(kind, text)));
    }
    lines += '\r\n';
  }
  return lines;
}

function quote(text: string): string {
  // For the hundreds of quotes in a trace, split and join take a third of the time of replaceAll.
  return text === '' || /[",\r\n]/.test(text) ? `"${text.split('"').join('""')}"` : text;
}
