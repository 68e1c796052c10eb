import { type JsonTransaction, queryTexts } from '../shared/platform/postgres/database.ts';

/** Between two statements, a row group is written to disk or read back. A process that is frozen keeps its locks no longer. */
const maxIdleMs = 60_000;

/**
 * The settings that an archive's long transaction needs, whatever the defaults of server and role: enough time, and the same
 * text for the same value in columns that somebody has added, such as `interval`, `real` and `bytea`.
 */
export async function settleSession(transaction: JsonTransaction): Promise<void> {
  const settings = {
    idle_in_transaction_session_timeout: `${maxIdleMs}ms`,
    // Since PostgreSQL 17.
    transaction_timeout: '0',
    IntervalStyle: 'postgres',
    extra_float_digits: '1',
    bytea_output: 'hex',
  };
  await queryTexts(
    transaction,
    `select set_config(name, wanted.value, true) from pg_settings
     join jsonb_each_text($1::jsonb) as wanted (name, value) using (name)`,
    [JSON.stringify(settings)],
  );
}
