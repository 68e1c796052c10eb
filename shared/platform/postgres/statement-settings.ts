/** Settings that a statement runs with, by their names in PostgreSQL. */
export type StatementSettings = Readonly<Record<string, string>>;

/**
 * What every statement is promised, whatever the server, the database and the role have as their defaults.
 *
 * @param limits.statementTimeoutMs the server cancels it then
 * @param limits.lockTimeoutMs how long it waits for a lock. @default the default of the role
 */
export function toStatementSettings(limits: { statementTimeoutMs: number; lockTimeoutMs?: number }): StatementSettings {
  return {
    // The driver adapter writes times without an offset and takes those that it reads to be of UTC, in this one form.
    TimeZone: 'UTC',
    DateStyle: 'ISO, MDY',
    statement_timeout: `${Math.ceil(limits.statementTimeoutMs)}`,
    ...(limits.lockTimeoutMs === undefined ? {} : { lock_timeout: `${Math.ceil(limits.lockTimeoutMs)}` }),
  };
}

/** One statement that puts settings in force until its transaction ends. */
export function toSettingsStatement(settings: StatementSettings): string {
  const calls = Object.entries(settings).map(([name, value]) => `set_config('${name}', '${value}', true)`);
  return `select ${calls.join(', ')}`;
}

/** The same within an explicit transaction. It takes no snapshot, so that the isolation level can still be chosen after it. */
export function toSettingsOfTransaction(settings: StatementSettings): string {
  return Object.entries(settings)
    .map(([name, value]) => `set local ${name} = '${value}'`)
    .join('; ');
}
