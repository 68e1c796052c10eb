import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate } from '../prisma/migrate.ts';
import { createSchemaEngine, readSchema } from '../prisma/schema-engine.ts';
import { loadConfig } from '../shared/config.ts';
import { poolSettings } from '../shared/database.ts';
import { startPostgres } from './postgres.ts';

/**
 * Says what the schema has that the migrations do not make, as SQL: applies all migrations to an empty database of a
 * private server and lets Prisma's engine compare. Empty when they agree.
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
      filters: { externalTables: [], externalEnums: [] },
    });
    return (stdout ?? '').replace('-- This is an empty migration.', '').trim();
  } finally {
    await close();
  }
}

if (import.meta.main) {
  const dir = await mkdtemp(join(tmpdir(), 'sluice-check-'));
  const postgres = await startPostgres({ dir, fsync: false });
  try {
    const missing = await missingFromMigrations(postgres.url);
    if (missing === '') {
      console.log('migrations: equal to schema.prisma');
    } else {
      console.error(
        `migrations: schema.prisma has what they do not make; npm run migration -- NAME writes it:\n\n${missing}`,
      );
      process.exitCode = 1;
    }
  } finally {
    await postgres.stop();
    await rm(dir, { recursive: true, force: true });
  }
}
