import type { ExecutionStatus } from '../../shared/contracts/execution.ts';
import { Prisma } from '../../shared/platform/postgres/database.ts';
import { type ExecutionContent, toContentBytes, toContentConditions } from './content.ts';
import type { ExecutionPosition } from './cursor.ts';
import { summaryColumns } from './summary.ts';
import type { WindowRequest } from './window.ts';

/** Which executions to list; a field that is left out does not restrict them. */
export interface ExecutionFilter {
  /** `failed`: every status except ok */
  status?: ExecutionStatus | 'failed';
  errorCode?: string;
  /** null: those that matched no case */
  caseName?: string | null;
  /** exactly this many */
  points?: number;
  realmId?: string;
  externalUserId?: string;
  traceId?: string;
}

/** What a statement lists: the rows after a position in the order. */
export interface Listed {
  window: WindowRequest;
  filter?: ExecutionFilter;
  after: ExecutionPosition | null;
}

/** The newest rows of a strategy. It states that failures are not ok, because the index of failures requires this condition. */
export function toListStatement(strategyId: string, listed: Listed, rows: number): Prisma.Sql {
  return newestOf(Prisma.sql`${strategyId}`, listed, rows);
}

/** The newest rows of several strategies: the newest of each by its own index, and then the newest of those. */
export function toListOfStatement(strategyIds: readonly string[], listed: Listed, rows: number): Prisma.Sql {
  return Prisma.sql`select newest.* from unnest(${strategyIds}::text[]) as seen (strategy_id)
    cross join lateral (${newestOf(Prisma.raw('seen.strategy_id'), listed, rows)}) as newest
    order by "recordedAt" desc, id desc limit ${rows}`;
}

/** A strategy with the time of its newest listed row. */
export interface NewestOfStrategy {
  strategyId: string;
  recordedAt: Date;
  /** how many strategies there are; one more than the limit if the walk ended there */
  strategies: number;
}

/**
 * The strategies that the newest rows of all belong to, newest first. It walks from strategy to strategy in the index, and takes of
 * each the time of its newest row: a page of n rows is among those of the n strategies with the newest ones, however many there
 * are, and however many rows each has.
 *
 * @param most strategies to walk over, and one more
 */
export function toNewestStrategiesStatement(
  { window, filter = {}, after }: Listed,
  rows: number,
  most: number,
): Prisma.Sql {
  const conditions = Prisma.join([...toTimes(window, after), ...toConditions(filter)], ' and ');
  const newest = (further: Prisma.Sql): Prisma.Sql =>
    Prisma.sql`select strategy_id, recorded_at from sluice.strategy_execution_log
      where ${conditions}${further} order by strategy_id desc, recorded_at desc limit 1`;
  return Prisma.sql`with recursive walk (strategy_id, recorded_at, place) as (
      select strategy_id, recorded_at, 1 from (${newest(Prisma.empty)}) as first
      union all
      select next.strategy_id, next.recorded_at, walk.place + 1 from walk
      cross join lateral (${newest(Prisma.sql` and strategy_id < walk.strategy_id`)}) as next
      where walk.place <= ${most})
    select strategy_id as "strategyId", recorded_at as "recordedAt", (select max(place) from walk) as strategies
    from walk order by recorded_at desc fetch first ${rows} rows with ties`;
}

/** The newest rows of a realm, of whichever strategy, by its own index. */
export function toListOfRealmStatement({ window, filter = {}, after }: Listed, rows: number): Prisma.Sql {
  const conditions = [...toConditions(filter), ...toTimes(window, after)];
  return Prisma.sql`select ${summaryColumns} from sluice.strategy_execution_log
    where ${Prisma.join(conditions, ' and ')} order by recorded_at desc, id desc limit ${rows}`;
}

/**
 * The newest rows of a trace, of whichever strategy. What is of the trace is looked for first, by its index: until the table is
 * analyzed, PostgreSQL takes a trace to be a large part of it, and would look through everything that is newer than the limit.
 */
export function toListOfTraceStatement(
  strategyId: string | null,
  { window, filter = {}, after }: Listed,
  rows: number,
): Prisma.Sql {
  const ofTrace = [Prisma.sql`trace_id = ${filter.traceId}`, ...toTimes(window, after)];
  const others = [...(strategyId === null ? [] : [Prisma.sql`strategy_id = ${strategyId}`]), ...toConditions(filter)];
  return Prisma.sql`select ${summaryColumns}
    from (select * from sluice.strategy_execution_log where ${Prisma.join(ofTrace, ' and ')} offset 0) as of_trace
    where ${Prisma.join(others, ' and ')} order by recorded_at desc, id desc limit ${rows}`;
}

/** The next executions to look through, with the bytes that they have to read for that. */
export function toCandidatesStatement(
  strategyId: string,
  { window, filter = {}, after }: Listed,
  content: ExecutionContent,
  rows: number,
): Prisma.Sql {
  const conditions = [Prisma.sql`strategy_id = ${strategyId}`, ...toConditions(filter), ...toTimes(window, after)];
  return Prisma.sql`select id, recorded_at as "recordedAt", ${toContentBytes(content)} as bytes from sluice.strategy_execution_log
    where ${Prisma.join(conditions, ' and ')} order by recorded_at desc, id desc limit ${rows}`;
}

/** Those of the candidates, up to the last one to look through, that have what is searched for. */
export function toMatchesStatement(
  strategyId: string,
  { window, filter = {}, after, content, last }: Listed & { content: ExecutionContent; last: ExecutionPosition },
  rows: number,
): Prisma.Sql {
  const conditions = [
    Prisma.sql`strategy_id = ${strategyId}`,
    ...toConditions(filter),
    ...toTimes(window, after),
    // Stated twice, as in toTimes.
    Prisma.sql`recorded_at >= ${last.recordedAt}`,
    Prisma.sql`(recorded_at, id) >= (${last.recordedAt}, ${last.id}::uuid)`,
    ...toContentConditions(content),
  ];
  return Prisma.sql`select ${summaryColumns} from sluice.strategy_execution_log
    where ${Prisma.join(conditions, ' and ')} order by recorded_at desc, id desc limit ${rows}`;
}

function newestOf(strategyId: Prisma.Sql, { window, filter = {}, after }: Listed, rows: number): Prisma.Sql {
  const conditions = [Prisma.sql`strategy_id = ${strategyId}`, ...toConditions(filter), ...toTimes(window, after)];
  return Prisma.sql`select ${summaryColumns} from sluice.strategy_execution_log
    where ${Prisma.join(conditions, ' and ')} order by recorded_at desc, id desc limit ${rows}`;
}

function toTimes({ since, until }: WindowRequest, after: ExecutionPosition | null): Prisma.Sql[] {
  const times = [Prisma.sql`recorded_at < ${until}`];
  if (since !== null) times.push(Prisma.sql`recorded_at >= ${since}`);
  if (after !== null) {
    // Stated twice: the first condition alone decides which partitions are read, and where an index scan begins.
    times.push(Prisma.sql`recorded_at <= ${after.recordedAt}`);
    times.push(Prisma.sql`(recorded_at, id) < (${after.recordedAt}, ${after.id}::uuid)`);
  }
  return times;
}

/** The part of a filter that PostgreSQL has to check. */
export function toConditions({
  status,
  errorCode,
  caseName,
  points,
  realmId,
  externalUserId,
  traceId,
}: ExecutionFilter): Prisma.Sql[] {
  const conditions: Prisma.Sql[] = [];
  if (status !== undefined && status !== 'ok') conditions.push(Prisma.sql`status <> 'ok'`);
  if (status !== undefined && status !== 'failed') conditions.push(Prisma.sql`status = ${status}`);
  if (errorCode !== undefined) conditions.push(Prisma.sql`error_code = ${errorCode}`);
  if (caseName === null) conditions.push(Prisma.sql`case_name is null`);
  else if (caseName !== undefined) conditions.push(Prisma.sql`case_name = ${caseName}`);
  if (points !== undefined) conditions.push(Prisma.sql`points = ${points}::float8`);
  if (realmId !== undefined) conditions.push(Prisma.sql`realm_id = ${realmId}`);
  if (externalUserId !== undefined) conditions.push(Prisma.sql`external_user_id = ${externalUserId}`);
  if (traceId !== undefined) conditions.push(Prisma.sql`trace_id = ${traceId}`);
  return conditions;
}
