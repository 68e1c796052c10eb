import type pg from 'pg';
import { classifyDatabaseError, insufficientPrivilege } from '../shared/platform/postgres/database-errors.ts';
import { quoteIdentifier } from '../shared/platform/postgres/schema.ts';
import { withWatch } from './blockers.ts';
import { keepBooks, readBooks } from './migration-books.ts';
import type { Migration } from './migration-files.ts';
import { type MigrationTarget, takeTurn, withTransaction } from './migration-session.ts';
import { type MigrationStatus, namesIn, toStatus } from './migration-status.ts';
import { MigrationError } from './patience.ts';

/**
 * Makes the schema and the books where they are missing.
 *
 * @returns how each migration is
 * @throws MigrationError when a person has to do something first; then nothing has been changed
 */
export function prepare(
  target: MigrationTarget,
  migrations: readonly Migration[],
  onBlocked: (blockers: string) => void,
): Promise<MigrationStatus[]> {
  const { schema } = target;
  const names = migrations.map(({ name }) => name);
  return withWatch(target, onBlocked, (watch) =>
    withTransaction(target, async (client) => {
      await watch(client);
      await takeTurn(client, schema);
      await makeSchema(client, schema);
      const status = toStatus(migrations, await readBooks(client, schema, names));
      refuseFailed(namesIn(status, 'failed'), migrations);
      const pending = namesIn(status, 'pending');
      await refuseForeignTables(
        client,
        schema,
        migrations.filter(({ name }) => pending.includes(name)),
      );
      await keepBooks(client, schema, names);
      return status;
    }),
  );
}

async function makeSchema(client: pg.ClientBase, schema: string): Promise<void> {
  const { rows } = await client.query<{ role: string }>(
    'select current_user as role where not exists (select from pg_namespace where nspname = $1)',
    [schema],
  );
  const role = rows[0]?.role;
  if (role === undefined) return;
  const sql = `create schema if not exists ${quoteIdentifier(schema)}`;
  try {
    await client.query(sql);
  } catch (thrown) {
    if (classifyDatabaseError(thrown).code !== insufficientPrivilege) throw thrown;
    throw new MigrationError(
      `the schema ${JSON.stringify(schema)} does not exist, and the role ${JSON.stringify(role)} may not create it. Ask an owner of the database to run: ${sql} authorization ${quoteIdentifier(role)};`,
    );
  }
}

/** Those outside of a transaction are done again; of all others nobody knows what is there. */
function refuseFailed(failed: readonly string[], migrations: readonly Migration[]): void {
  const open = migrations.filter((one) => one.inTransaction && failed.includes(one.name)).map(({ name }) => name);
  if (open.length === 0) return;
  throw new MigrationError(
    `started but not finished: ${open.join(', ')}. Check what is in the database, then run sluice migrate resolve --applied NAME if the whole migration is there, or --rolled-back NAME if nothing of it is`,
  );
}

async function refuseForeignTables(
  client: pg.ClientBase,
  schema: string,
  pending: readonly Migration[],
): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    'select relname as name from pg_class where relnamespace = to_regnamespace($1) and relname = any($2) order by 1',
    [quoteIdentifier(schema), pending.flatMap(({ makes }) => makes)],
  );
  if (rows.length === 0) return;
  throw new MigrationError(
    `the schema ${JSON.stringify(schema)} has ${rows.map(({ name }) => name).join(', ')} already, which the migrations would create. Nothing was changed. If it belongs to another application, choose a schema for Sluice alone: ?schema=sluice in DATABASE_URL. If it belongs to Sluice, its migration history was lost: run sluice migrate resolve --applied NAME`,
  );
}
