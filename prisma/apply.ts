import type pg from 'pg';
import { classifyDatabaseError, queryCanceled } from '../shared/platform/postgres/database-errors.ts';
import { describeDatabaseError } from '../shared/platform/postgres/explain-database-error.ts';
import { inSchema, quoteIdentifier } from '../shared/platform/postgres/schema.ts';
import { withWatch } from './blockers.ts';
import { findApplied, note } from './migration-books.ts';
import type { Migration } from './migration-files.ts';
import {
  lockWaitMs,
  type MigrationTarget,
  migrationAnswerMs,
  takeTurn,
  withSession,
  withTransaction,
} from './migration-session.ts';
import { isPassing, LockNotHad, MigrationError } from './patience.ts';
import { splitStatements } from './sql-statements.ts';
import { type TableLock, toLockSql } from './table-locks.ts';

interface Attempt {
  by: string;
  /** watches what a connection waits for */
  watch: (client: pg.ClientBase) => Promise<void>;
}

/**
 * Applies one migration, and notes it, when it is its turn.
 *
 * @param options.by an id of the call that applies it: when the answer to a commit was lost, the next attempt finds it in the books
 * @param options.onBlocked is told who is in the way
 * @returns whether this call has done it, now or in an attempt before; false: another one has
 * @throws MigrationError when the database refuses it; LockNotHad, or what the driver threw, when it may be tried again
 */
export function apply(
  target: MigrationTarget,
  migration: Migration,
  { by, onBlocked }: { by: string; onBlocked: (blockers: string) => void },
): Promise<boolean> {
  const how = migration.inTransaction ? applyAtOnce : applyStepByStep;
  return withWatch(target, onBlocked, (watch) => how(target, migration, { by, watch }));
}

/** It is applied and noted, or neither. */
function applyAtOnce(target: MigrationTarget, migration: Migration, { by, watch }: Attempt): Promise<boolean> {
  return withTransaction(target, async (client) => {
    await watch(client);
    await takeTurn(client, target.schema);
    const applied = await findApplied(client, target.schema, migration.name);
    if (applied !== null) return applied.by === by;
    await takeLocks(client, target.schema, migration.locks ?? []);
    await run(client, migration, migration.sql);
    await note(client, target.schema, { ...migration, state: 'applied', by });
    return true;
  });
}

/**
 * For statements that refuse a transaction. It is noted as begun first; when it does not come to its end, the next call does it
 * again from the start. A transaction on a connection of its own has the turn meanwhile.
 */
function applyStepByStep(target: MigrationTarget, migration: Migration, { by, watch }: Attempt): Promise<boolean> {
  return withTransaction(
    target,
    async (turn) => {
      await watch(turn);
      await takeTurn(turn, target.schema);
      const applied = await findApplied(turn, target.schema, migration.name);
      if (applied !== null) return applied.by === by;
      // A statement with parameters keeps its snapshot until the next statement. An index would wait for it for ever.
      await turn.query('select');
      await withSession(target, async (client) => {
        await watch(client);
        await note(client, target.schema, { ...migration, state: 'begun', by });
        for (const { text } of splitStatements(migration.sql))
          await run(client, migration, inSchema(text, quoteIdentifier(target.schema)));
        await note(client, target.schema, { ...migration, state: 'applied', by });
      });
      return true;
    },
    { maxIdleMs: 0 },
  );
}

/**
 * All at once, before anything is done: PostgreSQL bounds the wait for one lock, and a migration takes many, one for each
 * partition. So nobody stands behind it for longer than `lockWaitMs`.
 */
async function takeLocks(client: pg.ClientBase, schema: string, locks: readonly TableLock[]): Promise<void> {
  const deadline = performance.now() + lockWaitMs;
  const limit = "select set_config('statement_timeout', $1, true)";
  const { rows } = await client.query<{ ms: string }>("select current_setting('statement_timeout') as ms");
  for (const lock of locks) {
    await client.query(limit, [String(Math.max(1, Math.round(deadline - performance.now())))]);
    try {
      await client.query(toLockSql(lock, schema));
    } catch (thrown) {
      if (classifyDatabaseError(thrown).code !== queryCanceled) throw thrown;
      throw new LockNotHad(`the lock on ${lock.tables.join(', ')} was not acquired in time`, { cause: thrown });
    }
  }
  await client.query(limit, [rows[0]?.ms]);
}

async function run(client: pg.ClientBase, { name, inTransaction }: Migration, sql: string): Promise<void> {
  const statement: pg.QueryConfig & { query_timeout: number } = { text: sql, query_timeout: migrationAnswerMs };
  try {
    await client.query(statement);
  } catch (thrown) {
    if (isPassing(thrown)) throw thrown;
    const { code, message } = describeDatabaseError(thrown);
    const kept = inTransaction ? 'it was rolled back' : 'the next run repeats it';
    throw new MigrationError(`the migration ${name} failed; ${kept}. PostgreSQL: ${code}: ${message}`, {
      cause: thrown,
    });
  }
}
