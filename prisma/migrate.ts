import pg from 'pg';
import type { Config } from '../shared/config.ts';
import { poolSettings } from '../shared/database.ts';
import { readMigrations } from './migration-files.ts';
import { createSchemaEngine } from './schema-engine.ts';

/** Any fixed number: processes that migrate at the same time take turns on it. */
const advisoryLock = 7_270_411;

/** Long enough for a migration that rewrites a large table; the ordinary statement timeout would cut it off. */
const migrationTimeoutMs = 3_600_000;

/**
 * Applies the migrations that the database lacks, in order. Safe to call from any number of processes at once: they take
 * turns, and those that find nothing left to do return at once.
 *
 * @returns the names of the migrations that this call applied
 * @throws UsageError when DATABASE_URL is missing; the engine's error when a migration fails, which then has to be
 *   resolved by hand before any other is applied
 */
export async function migrate(database: Config['database']): Promise<string[]> {
  const settings = {
    ...poolSettings({ ...database, statementTimeoutMs: migrationTimeoutMs }, 'sluice migrate'),
    max: 2,
  };
  const migrations = await readMigrations();
  const names = migrations.migrationDirectories.map(({ path }) => path);

  const client = new pg.Client(settings);
  await client.connect();
  try {
    if (await allApplied(client, names)) return [];
    await client.query('select pg_advisory_lock($1)', [advisoryLock]);
    if (await allApplied(client, names)) return [];
    const { engine, close } = await createSchemaEngine(settings);
    try {
      const { appliedMigrationNames } = await engine.applyMigrations({
        migrationsList: migrations,
        filters: { externalTables: [], externalEnums: [] },
      });
      return appliedMigrationNames;
    } finally {
      await close();
    }
  } finally {
    // Ends the session, and the lock with it.
    await client.end();
  }
}

/** Loading the engine takes a quarter of a second; most starts have nothing to do for it. */
async function allApplied(client: pg.Client, names: readonly string[]): Promise<boolean> {
  const table = await client.query<{ exists: boolean }>(
    "select to_regclass('_prisma_migrations') is not null as exists",
  );
  if (!table.rows[0]?.exists) return false;
  const { rows } = await client.query<{ migration_name: string }>(
    'select migration_name from _prisma_migrations where finished_at is not null and rolled_back_at is null',
  );
  const applied = new Set(rows.map((row) => row.migration_name));
  return names.every((name) => applied.has(name));
}
