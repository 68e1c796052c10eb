import { Prisma } from '../../shared/platform/postgres/database.ts';
import type { Buckets } from './buckets.ts';
import { durationCounts, outcomeCounts, type RunScope } from './runs.ts';
import type { Snapshot } from './snapshot.ts';

/** A part of an answer: a query of the CTEs `duration_counts` and `outcome_counts`, and how to read its rows. */
export interface Part<Row, T> {
  query: Prisma.Sql;
  /** false: `duration_counts` is enough, and the runs are read only once */
  needsOutcomeCounts: boolean;
  read(rows: readonly Row[]): T;
}

// biome-ignore lint/suspicious/noExplicitAny: a part's rows are its own affair
type AnyPart = Part<any, unknown>;
type Answers<P extends Record<string, AnyPart>> = { [Name in keyof P]: ReturnType<P[Name]['read']> };

/** Answers several parts with one statement, which reads what they share once. */
export async function readParts<P extends Record<string, AnyPart>>(
  snapshot: Snapshot,
  scope: RunScope,
  buckets: Buckets | null,
  parts: P,
): Promise<Answers<P>> {
  const entries = Object.entries(parts);
  const tables = [durationCounts(scope, buckets)];
  if (entries.some(([, { needsOutcomeCounts }]) => needsOutcomeCounts)) tables.push(outcomeCounts(scope));
  const columns = entries.map(
    ([name, { query }]) =>
      Prisma.sql`(select coalesce(json_agg(part), '[]') from (${query}) as part) as ${Prisma.raw(`"${name}"`)}`,
  );
  const [row] = await snapshot.$queryRaw<Record<string, unknown[]>[]>(
    Prisma.sql`with ${Prisma.join(tables, ', ')} select ${Prisma.join(columns, ', ')}`,
  );
  return Object.fromEntries(entries.map(([name, { read }]) => [name, read(row?.[name] ?? [])])) as Answers<P>;
}
