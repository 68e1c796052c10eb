import { quoteIdentifier } from '../shared/platform/postgres/schema.ts';

/** PostgreSQL's modes for locks of tables. */
const modes = [
  'access share',
  'row share',
  'row exclusive',
  'share update exclusive',
  'share',
  'share row exclusive',
  'exclusive',
  'access exclusive',
] as const;

/** A lock that a migration takes on tables that were there before. */
export interface TableLock {
  mode: (typeof modes)[number];
  tables: string[];
}

const head = 'locks:';
const form = `${head} none, or a line such as "${head} access exclusive on request, dead_letter; share on stream_lease"`;

/** What the migrations take that were made before each of them said so itself. They stay as they are, byte for byte. */
const ofEarlierMigrations: Record<string, string> = {
  '20261122040000_dead_letter_stored': 'access exclusive on dead_letter',
  '20261122060000_execution_reads': 'access exclusive on strategy_execution_log',
  '20261122070000_execution_figures': 'access exclusive on strategy_execution_log',
  '20261127010000_outcome_without_md5': 'access exclusive on strategy_execution_log',
  '20261127020000_stored_at': 'access exclusive on request, strategy_execution_log',
  '20261127050000_lobby_owner': 'access exclusive on stream_lease',
};

/**
 * The locks that a migration says it takes, in its comments: `-- locks: access exclusive on request`.
 *
 * @returns null when it says nothing of locks
 * @throws Error when it cannot be read
 */
export function readTableLocks(name: string, sql: string): TableLock[] | null {
  const lines = [...sql.matchAll(/^--\s*locks:\s*(.*)$/gm)].map(([, said = '']) => said);
  const earlier = ofEarlierMigrations[name];
  const said = lines.length === 0 && earlier !== undefined ? [earlier] : lines;
  if (said.length === 0) return null;
  return said
    .flatMap((line) => line.split(';'))
    .filter((one) => one.trim() !== 'none')
    .map((one) => parse(name, one.trim()));
}

function parse(name: string, said: string): TableLock {
  const [, mode, tables = ''] = /^([a-z ]+) on ([a-z0-9_]+(?:, *[a-z0-9_]+)*)$/.exec(said) ?? [];
  const known = modes.find((one) => one === mode);
  if (known === undefined)
    throw new Error(`migration ${name}: cannot read its locks, ${JSON.stringify(said)}; write ${form}`);
  return { mode: known, tables: tables.split(/, */) };
}

/** Waits for all locks of one mode at once, on partitions, too. */
export function toLockSql({ mode, tables }: TableLock, schema: string): string {
  return `lock table ${tables.map((table) => `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`).join(', ')} in ${mode} mode`;
}
