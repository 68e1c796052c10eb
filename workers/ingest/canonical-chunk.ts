import { chunkVersions } from '../../shared/contracts/chunk.ts';
import { type PlainHead, readPlainHead } from '../../shared/contracts/compressed-chunk.ts';
import { copyNull, copyTextOfJson, jsonText, unicodeEscape } from './copy-text.ts';

/** A field of the narrow part of a record, which a pattern takes apart. */
export interface NarrowField {
  name: string;
  /** the JSON of its value, with one group: what is stored */
  value: string;
  /** whether a record may be without it */
  isOptional: boolean;
  /** in characters; Infinity: none of its own */
  maxLength: number;
}

/** The fields of one kind of record, in the order of their canonical text: see ADR 0035. */
export interface CanonicalForm {
  narrow: readonly NarrowField[];
  /** the names of those that follow, each after a tab; a record may be without any of them */
  wide: readonly string[];
}

/**
 * Takes one record.
 *
 * @param narrow its narrow fields as COPY takes them, in their order
 * @param wide for each wide field where its JSON begins and ends in the chunk, -1 where it has none
 * @returns false: only a parser can tell what it is
 */
export type TakeRecord = (narrow: readonly string[], wide: readonly number[]) => boolean;

/** What is known of a chunk of which every record was taken. */
export interface CanonicalChunk {
  head: PlainHead;
  records: number;
}

/** Values of narrow fields. One that does not match may be right nevertheless: then a parser looks at it. */
export const canonicalValues = {
  uuid: '"([0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})"',
  time: String.raw`"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)"`,
  text: `"(${jsonText('bfnrtu')})"`,
  count: String.raw`([1-9]\d{0,9}|0)`,
  atLeastOne: String.raw`([1-9]\d{0,9})`,
  integer: String.raw`(-?[1-9]\d{0,9}|0)`,
  statusCode: String.raw`([1-5]\d\d)`,
  number: String.raw`(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)`,
  boolean: '(true|false)',
  hexadecimal: (digits: number): string => `"([0-9a-f]{${digits}})"`,
  /** not all of them 0 */
  traceContextId: (digits: number): string => `"((?!0{${digits}})[0-9a-f]{${digits}})"`,
  oneOf: (values: readonly string[]): string => `"(${values.join('|')})"`,
} as const;

const [tab, newline, comma, closingBrace] = [0x09, 0x0a, 0x2c, 0x7d];
const chunkEnd = Buffer.from(']}');

/**
 * Makes a reader of chunks in canonical form, which takes a record apart without a parser: by one pattern for its narrow
 * fields and the tabs before its wide ones. It is sound for any bytes: in JSON a raw tab or newline is never within a string,
 * so it parts what it seems to part, or else the piece that it cut off is no JSON, and PostgreSQL refuses it.
 */
export function createCanonicalReader({ narrow, wide }: CanonicalForm) {
  const pattern = toPattern(narrow);
  const names = wide.map((name) => Buffer.from(`"${name}":`));

  /** Null when the chunk is not in canonical form, or a record was not taken. */
  return (chunk: Buffer, take: TakeRecord): CanonicalChunk | null => {
    const head = readPlainHead(chunk);
    if (head === null || !isKnown(head.version) || chunk.compare(chunkEnd, 0, 2, chunk.length - 2) !== 0) return null;
    const parts: number[] = wide.flatMap(() => [-1, -1]);
    let records = 0;
    let nextTab = chunk.indexOf(tab, head.length);
    let start = head.length;
    for (;;) {
      const lineEnd = chunk.indexOf(newline, start);
      const isLast = lineEnd === -1;
      // Behind the record: a comma and the newline, or the end of the list and of the chunk.
      const end = isLast ? chunk.length - 2 : lineEnd - 1;
      if (chunk[end - 1] !== closingBrace || (!isLast && chunk[end] !== comma)) return null;
      const hasWide = nextTab !== -1 && nextTab < end;
      const narrowEnd = (hasWide ? nextTab : end) - 1;
      if (hasWide && chunk[narrowEnd] !== comma) return null;

      parts.fill(-1);
      let field = 0;
      while (nextTab !== -1 && nextTab < end) {
        const from = nextTab + 1;
        while (field < names.length && !standsAt(chunk, from, names[field] as Buffer)) field += 1;
        const name = names[field];
        if (name === undefined) return null;
        nextTab = chunk.indexOf(tab, from);
        const isLastPart = nextTab === -1 || nextTab > end;
        const until = (isLastPart ? end : nextTab) - 1;
        if (!isLastPart && chunk[until] !== comma) return null;
        parts[2 * field] = from + name.length;
        parts[2 * field + 1] = until;
        field += 1;
      }

      const fields = toFields(pattern.exec(chunk.toString('utf8', start, narrowEnd)), narrow);
      if (fields === null || !take(fields, parts)) return null;
      records += 1;
      if (isLast) return { head, records };
      start = lineEnd + 1;
    }
  };
}

/** `{` and the fields, without what follows the last one. */
function toPattern(fields: readonly NarrowField[]): RegExp {
  const parts = fields.map(({ name, value, isOptional }, index) => {
    const field = `${index === 0 ? '' : ','}"${name}":${value}`;
    return isOptional === true ? `(?:${field})?` : field;
  });
  return new RegExp(String.raw`^\{${parts.join('')}$`);
}

/** Null when there is no match, or a field is longer than its contract allows, or cannot be written. */
function toFields(match: RegExpExecArray | null, narrow: readonly NarrowField[]): string[] | null {
  if (match === null) return null;
  // Looked for once: a search in each field would cost more than all the rest.
  const hasCodes = match.input.includes(unicodeEscape);
  const fields: string[] = [];
  for (let index = 0; index < narrow.length; index += 1) {
    const group = match[index + 1];
    const field = group === undefined ? copyNull : hasCodes ? copyTextOfJson(group) : group;
    if (field === null || field.length > (narrow[index] as NarrowField).maxLength) return null;
    fields.push(field);
  }
  return fields;
}

function isKnown(version: number): boolean {
  return (chunkVersions as readonly number[]).includes(version);
}

function standsAt(chunk: Buffer, at: number, text: Buffer): boolean {
  for (let index = 0; index < text.length; index += 1) if (chunk[at + index] !== text[index]) return false;
  return true;
}
