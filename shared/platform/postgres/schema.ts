/** Where the tables are when DATABASE_URL names no schema. */
export const defaultSchema = 'public';

/** A table, or the schema itself, as every statement of ours names it. */
const ours = /\bsluice(?=\.[a-z_"])|(?<=to_regnamespace\(')sluice(?=')/g;

/**
 * Statements name their tables as `sluice.request`, and the schema as `to_regnamespace('sluice')`, whatever schema they are
 * in: this puts the real one in its place. So no statement relies on the search path of its session, which a pooler drops.
 *
 * @param quotedSchema see `quoteIdentifier`. Its quotes let it stand in a text, too, such as `'sluice.request'::regclass`
 */
export function inSchema(sql: string, quotedSchema: string): string {
  return sql.replaceAll(ours, () => quotedSchema);
}

/** A text as SQL, for statements that take no parameters. */
export function quoteLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** Any text as SQL, whatever the settings of the session are. It must have no NUL. */
export function quoteEscaped(text: string): string {
  return `E'${text.replace(/['\\]/g, (character) => (character === "'" ? "''" : '\\\\'))}'`;
}

/** A name as SQL: identifiers cannot be bound. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
