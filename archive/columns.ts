import { type Database, type JsonTransaction, queryTexts } from '../shared/platform/postgres/database.ts';
import { quoteIdentifier } from '../shared/platform/postgres/schema.ts';

/** Runs statements. */
export type Session = Database | JsonTransaction;

/** The types of column that files distinguish. Everything else is text. */
export type ColumnKind = 'uuid' | 'time' | 'integer' | 'bigint' | 'double' | 'boolean' | 'json' | 'text';

/** A column of a table, and how it is written to a file. */
export interface Column {
  name: string;
  kind: ColumnKind;
  /** as PostgreSQL writes it, such as `timestamp(3) with time zone` */
  type: string;
  isNullable: boolean;
}

/**
 * A row as a list of texts, one for each column: a time is milliseconds since 1970, a double the sixteen hexadecimal digits of
 * its eight bytes, a Boolean `true` or `false`, JSON as stored. No session setting changes these texts.
 */
export type Row = readonly (string | null)[];

/** The columns of a table in Sluice's schema, except generated ones, which a restored row computes again. */
export async function readColumns(session: Session, table: string): Promise<Column[]> {
  const rows = await queryTexts(
    session,
    `select attname::text, format_type(atttypid, atttypmod), attnotnull::text
     from pg_attribute join pg_class on pg_class.oid = attrelid
     where relname = $1 and relnamespace = to_regnamespace('sluice')
       and attnum > 0 and not attisdropped and attgenerated = ''
     order by attnum`,
    [table],
  );
  return rows.map(([name, type, isRequired]) => ({
    name: name ?? '',
    kind: kindOf(type ?? ''),
    type: type ?? '',
    isNullable: isRequired !== 'true',
  }));
}

/** The kind of a type, by the name that PostgreSQL gives it. */
export function kindOf(type: string): ColumnKind {
  if (/^timestamp(\(\d\))? with time zone$/.test(type)) return /\([0-3]\)/.test(type) ? 'time' : 'text';
  return kinds[type] ?? 'text';
}

const kinds: Record<string, ColumnKind> = {
  uuid: 'uuid',
  smallint: 'integer',
  integer: 'integer',
  bigint: 'bigint',
  'double precision': 'double',
  boolean: 'boolean',
  jsonb: 'json',
  json: 'json',
};

/** The SQL for a value's text, see `Row`. */
export function toTextSql(kind: ColumnKind, value: string): string {
  if (kind === 'time') return `(extract(epoch from ${value}) * 1000)::bigint::text`;
  if (kind === 'double') return `encode(float8send(${value}), 'hex')`;
  return `${value}::text`;
}

/** The SQL for a column's text. */
export function toColumnSql({ kind, name }: Column): string {
  return toTextSql(kind, quoteIdentifier(name));
}

/** Converts the text of a double in a row to the number. */
export function parseDouble(hex: string): number {
  return Buffer.from(hex, 'hex').readDoubleBE(0);
}

/** A text of a row as PostgreSQL reads it with any settings, and as a person can: a time as ISO 8601, a double in decimal digits. */
export function toPlain(kind: ColumnKind, text: string): string {
  if (kind === 'time') return new Date(Number(text)).toISOString();
  return kind === 'double' ? toDigits(text) : text;
}

/** The shortest digits that are parsed as the same double. */
export function toDigits(hex: string): string {
  const value = parseDouble(hex);
  return Object.is(value, -0) ? '-0' : String(value);
}

/** Converts a double to its text in a row. */
export function formatDouble(value: number): string {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeDoubleBE(value, 0);
  return bytes.toString('hex');
}
