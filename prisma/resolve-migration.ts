import type { Config } from '../shared/platform/config/config.ts';
import { keepBooks, note, readBooks } from './migration-books.ts';
import { readMigrations } from './migration-files.ts';
import { takeTurn, toTarget, withTransaction } from './migration-session.ts';
import { type MigrationState, toStatus } from './migration-status.ts';
import { MigrationError } from './patience.ts';

/** What a person has found out about a migration: all of it is there, or nothing. */
export type Resolution = 'applied' | 'rolled back';

/**
 * Puts the books right, and runs nothing. `applied` is for one that failed or that was done by hand; `rolled back` for one that
 * failed: the next `migrate` applies it then.
 *
 * @throws MigrationError when there is no such migration, or nothing to resolve
 */
export async function resolveMigration(
  database: Config['database'],
  name: string,
  resolution: Resolution,
): Promise<void> {
  const target = toTarget(database);
  const migrations = await readMigrations();
  const migration = migrations.find((one) => one.name === name);
  if (migration === undefined)
    throw new MigrationError(`this build has no migration ${JSON.stringify(name)}; sluice migrate status lists them`);
  const names = migrations.map((one) => one.name);
  await withTransaction(target, async (client) => {
    await takeTurn(client, target.schema);
    const status = toStatus(migrations, await readBooks(client, target.schema, names));
    refuse(name, status.find((one) => one.name === name)?.state ?? 'pending', resolution);
    await keepBooks(client, target.schema, names);
    await note(client, target.schema, { ...migration, state: resolution, by: null });
  });
}

function refuse(name: string, state: MigrationState, resolution: Resolution): void {
  if (state === 'applied' || state === 'changed')
    throw new MigrationError(`the migration ${name} is already applied; there is nothing to resolve`);
  if (state === 'pending' && resolution === 'rolled back')
    throw new MigrationError(`the migration ${name} was never started, so it cannot be rolled back`);
}
