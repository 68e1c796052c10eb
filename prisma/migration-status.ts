import type { BookLine } from './migration-books.ts';

/** How a migration is. */
export type MigrationState =
  | 'applied'
  /** applied, and its file has changed since */
  | 'changed'
  | 'pending'
  /** begun, and not known to have ended: a person has to look */
  | 'failed'
  /** applied by a newer build, or by another one */
  | 'unknown';

export interface MigrationStatus {
  name: string;
  state: MigrationState;
}

/** Holds the migrations of this build against the books. In the order in which they are, or were, applied. */
export function toStatus(
  migrations: readonly { name: string; checksum: string }[],
  books: readonly BookLine[],
): MigrationStatus[] {
  const stateOf = ({ name, checksum }: { name: string; checksum: string }): MigrationState => {
    const lines = books.filter((line) => line.name === name && !line.rolledBack);
    if (lines.some(({ finished }) => !finished)) return 'failed';
    const [line] = lines;
    if (line === undefined) return 'pending';
    return line.checksum === checksum ? 'applied' : 'changed';
  };
  const others = books
    .filter((line) => !line.rolledBack && !migrations.some(({ name }) => name === line.name))
    .map(({ name, finished }) => ({ name, state: finished ? ('unknown' as const) : ('failed' as const) }));
  return [...migrations.map((one) => ({ name: one.name, state: stateOf(one) })), ...others];
}

/** The names of those in a state. */
export function namesIn(status: readonly MigrationStatus[], ...states: MigrationState[]): string[] {
  return status.filter(({ state }) => states.includes(state)).map(({ name }) => name);
}
