import { randomUUID } from 'node:crypto';
import type { Config } from '../shared/platform/config/config.ts';
import { apply } from './apply.ts';
import { withWatch } from './blockers.ts';
import { hasOwnBooks, readBooks } from './migration-books.ts';
import { type Migration, readMigrations } from './migration-files.ts';
import { type MigrationTarget, toTarget, withSession, withTransaction } from './migration-session.ts';
import { type MigrationStatus, namesIn, toStatus } from './migration-status.ts';
import { createPatience } from './patience.ts';
import { prepare } from './prepare.ts';

export const defaultMigrateTimeoutMs = 600_000;

export interface MigrateOptions {
  /** for all waits for locks together, and for other processes that migrate. @default 10 minutes */
  timeoutMs?: number;
  /** is told every few seconds what it waits for. @default nobody is told */
  say?: (line: string) => void;
  /** oldest first. @default those of this build */
  migrations?: readonly Migration[];
}

/** The same database by the way, and as the role, that migrations go: SLUICE_MIGRATE_DATABASE_URL, where that is given. */
export function migratorOf({ database, migrator }: Pick<Config, 'database' | 'migrator'>): Config['database'] {
  return { ...database, url: migrator.url ?? database.url };
}

/**
 * Applies the migrations that the database lacks, in order, each of them whole or not at all. Safe to call from any number of
 * processes at once: they take turns, and those that find nothing left to do return. Nobody waits behind one of its locks for longer
 * than three seconds before it has it.
 *
 * @returns the names of the migrations that this call applied
 * @throws UsageError when DATABASE_URL is missing; MigrationError, or what the driver threw, when it could not go on. What
 *   was applied by then stays, and the next call goes on from there
 */
export async function migrate(database: Config['database'], options: MigrateOptions = {}): Promise<string[]> {
  const { timeoutMs = defaultMigrateTimeoutMs, say = () => undefined } = options;
  const target = toTarget(database);
  const migrations = options.migrations ?? (await readMigrations());
  const { insist } = createPatience({ timeoutMs, say });
  const look = (onBlocked: (blockers: string) => void): Promise<boolean> => allApplied(target, migrations, onBlocked);
  // A server that is not there is told of soon.
  if (await insist('the look at what is applied', look, { maxBroken: 1 })) return [];

  const status = await insist('the migration', (onBlocked) => prepare(target, migrations, onBlocked));
  const lacking = namesIn(status, 'pending', 'failed');
  const by = randomUUID();
  const applied: string[] = [];
  for (const migration of migrations.filter(({ name }) => lacking.includes(name))) {
    const isOurs = await insist(`the migration ${migration.name}`, (onBlocked) =>
      apply(target, migration, { by, onBlocked }),
    );
    if (isOurs) applied.push(migration.name);
  }
  return applied;
}

/** How each migration is, those that only the books know included. Changes nothing. */
export async function readMigrationStatus(database: Config['database']): Promise<MigrationStatus[]> {
  const target = toTarget(database);
  const migrations = await readMigrations();
  const names = migrations.map(({ name }) => name);
  return toStatus(migrations, await withSession(target, (client) => readBooks(client, target.schema, names)));
}

/** So that whoever may only read, and has nothing to do, needs no more than that. */
function allApplied(
  target: MigrationTarget,
  migrations: readonly Migration[],
  onBlocked: (blockers: string) => void,
): Promise<boolean> {
  const names = migrations.map(({ name }) => name);
  return withWatch(target, onBlocked, (watch) =>
    withTransaction(target, async (client) => {
      await watch(client);
      if (!(await hasOwnBooks(client, target.schema))) return false;
      const status = toStatus(migrations, await readBooks(client, target.schema, names));
      return namesIn(status, 'pending', 'failed').every((name) => !names.includes(name));
    }),
  );
}
