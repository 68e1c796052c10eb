import { migrate } from '../../prisma/migrate.ts';
import { booksTable } from '../../prisma/migration-books.ts';
import { loadConfig } from '../../shared/platform/config/config.ts';
import { poolSettings } from '../../shared/platform/postgres/pool-settings.ts';
import { createSchemaEngine, readSchema } from './schema-engine.ts';

/**
 * What the schema has that the migrations do not create, as SQL: applies all migrations to an empty database and lets
 * Prisma's engine compare. Empty if they match.
 */
export async function missingFromMigrations(databaseUrl: string): Promise<string> {
  const { database } = loadConfig({ DATABASE_URL: databaseUrl });
  await migrate(database);
  const { engine, close } = await createSchemaEngine(poolSettings(database, 'sluice check'));
  try {
    const { stdout } = await engine.diff({
      from: { tag: 'schemaDatasource', ...(await readSchema()), configDir: '.' },
      to: { tag: 'schemaDatamodel', ...(await readSchema()) },
      script: true,
      exitCode: null,
      filters: { externalTables: [`public.${booksTable}`], externalEnums: [] },
    });
    return (stdout ?? '').replace('-- This is an empty migration.', '').trim();
  } finally {
    await close();
  }
}
