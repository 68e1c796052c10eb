import { Prisma } from '../../shared/platform/postgres/database.ts';
import type { Buckets } from '../executions/buckets.ts';
import type { Snapshot } from '../executions/snapshot.ts';
import {
  countsByKey,
  countsByTime,
  countsOfRows,
  type GroupOrder,
  type RequestAmount,
  type RequestCounts,
  type RequestTally,
} from './counts.ts';
import { requestRows } from './rows.ts';
import type { RequestScope } from './scope.ts';
import { percentilesByGroup, percentilesByTime, type TimeRows, timesOfRows } from './times.ts';

/** Groups as a statement returns them. */
interface GroupRows {
  groupTallies: RequestTally[];
  groupAmounts: RequestAmount[];
  /** texts of the keys of the listed groups, in order */
  keys: string[];
  /** how many there are, listed or not */
  groups: number;
}

/** What figures are made of. */
export type FigureRows = RequestCounts & TimeRows & Partial<GroupRows>;

/**
 * Reads what the figures of a scope are made of, in one statement.
 *
 * @param division.buckets null: not over time
 * @param division.groups null: not by group
 */
export async function readFigureRows(
  snapshot: Snapshot,
  scope: RequestScope,
  { buckets, groups }: { buckets: Buckets | null; groups: GroupOrder | null },
): Promise<FigureRows> {
  const rows = await requestRows(snapshot, scope, { buckets, by: groups?.by ?? null });
  const byKey = groups === null ? Prisma.empty : Prisma.sql`, ${countsByKey}, ${percentilesByGroup}`;
  const [row] = await snapshot.$queryRaw<[FigureRows]>`
    with ${rows.ctes}, ${countsOfRows(rows, groups)}, ${timesOfRows(rows, groups)}
    select ${countsByTime}, ${percentilesByTime}${byKey}`;
  return row;
}
