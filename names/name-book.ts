import type { Database } from '../shared/platform/postgres/database.ts';
import { classifyDatabaseError } from '../shared/platform/postgres/database-errors.ts';
import type { NameKind } from './display-name.ts';
import { findNames, hasNames } from './find-names.ts';

/** Looks up names for answers. */
export interface NameBook {
  find(kind: NameKind, ids: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** names were written: what is known of there being none does not hold any more */
  forget(): void;
}

const none: ReadonlyMap<string, string> = new Map();
const rememberMs = 10_000;

/** The table is not there yet, or may not be read: an answer is worth having without its names. */
const withoutTable = new Set(['42P01', '42501']);

/**
 * Names for a process that answers many questions. While nothing has a name, it asks once in ten seconds whether that has changed,
 * and otherwise not at all.
 *
 * @param nowMs a clock that only moves forward
 */
export function createNameBook(database: Pick<Database, '$queryRaw'>, nowMs: () => number): NameBook {
  let noneUntilMs = Number.NEGATIVE_INFINITY;
  return {
    async find(kind, ids) {
      if (ids.length === 0 || nowMs() < noneUntilMs) return none;
      try {
        const found = await findNames(database, kind, ids);
        if (found.size === 0 && !(await hasNames(database))) noneUntilMs = nowMs() + rememberMs;
        return found;
      } catch (error) {
        if (!withoutTable.has(classifyDatabaseError(error).code)) throw error;
        noneUntilMs = nowMs() + rememberMs;
        return none;
      }
    },
    forget() {
      noneUntilMs = Number.NEGATIVE_INFINITY;
    },
  };
}

/** Rows with the names of their strategies; null: it has none. */
export async function nameStrategies<T extends { strategyId: string }>(
  names: Pick<NameBook, 'find'>,
  rows: readonly T[],
): Promise<(T & { strategyName: string | null })[]> {
  const found = await names.find(
    'strategy',
    rows.map(({ strategyId }) => strategyId),
  );
  return rows.map((row) => ({ ...row, strategyName: found.get(row.strategyId) ?? null }));
}

/** Rows with the names of their creators; null: it has none. */
export async function nameCreators<T extends { createdBy: string }>(
  names: Pick<NameBook, 'find'>,
  rows: readonly T[],
): Promise<(T & { creatorName: string | null })[]> {
  const found = await names.find(
    'creator',
    rows.map(({ createdBy }) => createdBy),
  );
  return rows.map((row) => ({ ...row, creatorName: found.get(row.createdBy) ?? null }));
}
