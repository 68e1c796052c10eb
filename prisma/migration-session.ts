import pg from 'pg';
import type { Config } from '../shared/platform/config/config.ts';
import { connectAlone } from '../shared/platform/postgres/database.ts';
import { schemaOf } from '../shared/platform/postgres/pool-settings.ts';
import { quoteIdentifier } from '../shared/platform/postgres/schema.ts';

/** Where migrations are applied. */
export interface MigrationTarget {
  database: Config['database'];
  /** how long an answer is waited for. @default 30 seconds */
  queryTimeoutMs?: number;
  schema: string;
}

/** Whoever wants a table stands behind a lock that is waited for, inserts too. */
export const lockWaitMs = 3_000;

/** Long enough for a migration that rewrites a large table; the ordinary statement timeout would cut it off. */
const migrationTimeoutMs = 3_600_000;

/** For so long the answer to a migration is waited for: then the other end has vanished. */
export const migrationAnswerMs = migrationTimeoutMs + 2_000;

/** And to any other statement: each of them waits for one lock at most. */
const answerMs = 30_000;

/** A process that is frozen within a transaction keeps its locks no longer than this. */
const maxIdleMs = 60_000;

/** @throws UsageError when DATABASE_URL is missing */
export function toTarget(database: Config['database']): MigrationTarget {
  return { database, schema: schemaOf(database) };
}

/** Does some work on a connection of its own, which no one else uses and which is closed afterwards: it is never idle for long. */
export async function withSession<T>(
  { database, queryTimeoutMs = answerMs }: MigrationTarget,
  work: (client: pg.ClientBase) => Promise<T>,
): Promise<T> {
  const { client, close } = await connectAlone(database, 'sluice migrate', { queryTimeoutMs });
  try {
    return await work(client);
  } finally {
    await close();
  }
}

/**
 * Does some work in a transaction that relies on no setting of its session. Names without a schema mean the one of the
 * target. Its waits for locks are bounded, each by `lockWaitMs`.
 *
 * @param options.maxIdleMs 0: for ever
 */
export async function withTransaction<T>(
  target: MigrationTarget,
  work: (client: pg.ClientBase) => Promise<T>,
  options: { maxIdleMs: number } = { maxIdleMs },
): Promise<T> {
  return withSession(target, async (client) => {
    try {
      // What is read after a wait for a lock has to be what is there then.
      await client.query('begin isolation level read committed');
      const limits = {
        search_path: quoteIdentifier(target.schema),
        TimeZone: 'UTC',
        lock_timeout: `${lockWaitMs}`,
        statement_timeout: `${migrationTimeoutMs}`,
        idle_in_transaction_session_timeout: `${options.maxIdleMs}`,
        // Since PostgreSQL 17.
        transaction_timeout: '0',
      };
      await client.query(
        `select set_config(name, value, true) from json_each_text($1) as limits(name, value)
         where name in (select pg_settings.name from pg_settings) or name = 'search_path'`,
        [JSON.stringify(limits)],
      );
      const result = await work(client);
      await client.query('commit');
      return result;
    } catch (thrown) {
      // Behind a statement that has had no answer it would have none either. Its end takes all back, too.
      if (thrown instanceof pg.DatabaseError) await client.query('rollback').catch(() => undefined);
      throw thrown;
    }
  });
}

/** Any fixed number: processes that migrate the same schema at the same time take turns on it. */
const advisoryLock = 7_270_411;

/** Waits until no other process migrates this schema. The turn ends with the transaction. */
export async function takeTurn(client: pg.ClientBase, schema: string): Promise<void> {
  await client.query('select pg_advisory_xact_lock($1, hashtext($2))', [advisoryLock, schema]);
}
