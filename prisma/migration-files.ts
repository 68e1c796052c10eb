import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { splitStatements } from './sql-statements.ts';
import { readTableLocks, type TableLock } from './table-locks.ts';

/** A migration of this build. */
export interface Migration {
  name: string;
  sql: string;
  /** SHA-256 of the file, in hex, as Prisma's books have it */
  checksum: string;
  /**
   * False: its statements are sent one by one, outside of a transaction, as its first line wants it. They may be repeated,
   * and name their tables as `sluice.request`.
   */
  inTransaction: boolean;
  /** what it locks of the tables that are there before it; null when it does not say */
  locks: TableLock[] | null;
  /** names of the tables that it makes */
  makes: string[];
}

const directory = fileURLToPath(new URL('migrations', import.meta.url));

const outsideLine = '-- sluice: outside a transaction';

/** The migrations in the checkout, oldest first. */
export async function readMigrations(): Promise<Migration[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  const names = entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])).sort();
  return Promise.all(
    names.map(async (name) => toMigration(name, await readFile(join(directory, name, 'migration.sql'), 'utf8'))),
  );
}

/** @throws Error when what it says of its locks cannot be read */
export function toMigration(name: string, sql: string): Migration {
  return {
    name,
    sql,
    checksum: createHash('sha256').update(sql).digest('hex'),
    inTransaction: sql.split('\n', 1)[0]?.trim() !== outsideLine,
    locks: readTableLocks(name, sql),
    makes: splitStatements(sql).flatMap(({ code }) => /^create table "?(\w+)"?/i.exec(code)?.[1] ?? []),
  };
}
