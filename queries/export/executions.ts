import { type Column, type Row, readColumns, toColumnSql } from '../../archive/columns.ts';
import { type Database, Prisma, queryTexts } from '../../shared/platform/postgres/database.ts';
import { executionLogTable } from '../../shared/platform/postgres/partitions/partitions.ts';
import { type ExecutionFilter, toConditions } from '../executions/list-statement.ts';
import { columnNames, cutByBytes, maxPageRows } from './page-size.ts';

/** Which executions are exported. */
export interface ExecutionExport {
  /** null: all strategies */
  strategyId: string | null;
  filter: ExecutionFilter;
  /** null: from the oldest */
  since: Date | null;
  /** exclusive */
  until: Date;
}

/** The columns of an export of executions. */
export function readExecutionColumns(database: Database): Promise<Column[]> {
  return readColumns(database, executionLogTable);
}

/** The time span that one statement covers, in ms: initially, and at most. */
const firstSpanMs = 1_000;
const maxSpanMs = 86_400_000;

/** After a slow statement, the next covers a quarter of the time; after one with few rows, four times as much. */
const aimMs = 500;

/**
 * Executions by `(recorded_at, id)`, page by page. Each statement covers a span of time with about a page of rows, and stands
 * alone: there is no long cursor, transaction or snapshot. Rows that are stored before the export reaches their time are
 * included, later ones are not. No execution appears twice.
 */
export async function* exportExecutions(
  database: Database,
  columns: readonly Column[],
  question: ExecutionExport,
): AsyncGenerator<readonly Row[]> {
  const [timeAt, idAt] = ['recorded_at', 'id'].map((name) => columns.findIndex((column) => column.name === name));
  if (timeAt === undefined || idAt === undefined) return;
  const untilMs = question.until.getTime();
  let spanMs = firstSpanMs;
  let fromMs = await findOldest(database, question.since?.getTime() ?? null, untilMs);
  let after: string | null = null;
  while (fromMs !== null && fromMs < untilMs) {
    const endMs = Math.min(untilMs, fromMs + spanMs);
    const startedAt = performance.now();
    const statement = toStatement(columns, question, { fromMs, endMs, after });
    const rows = await queryTexts(database, statement.sql, statement.values);
    const found = Number(rows[0]?.[0] ?? 0);
    if (rows.length > 0) yield rows.map((row) => row.slice(1));
    const isWhole = found < maxPageRows && rows.length === found;
    const last = rows.at(-1)?.slice(1);
    if (isWhole) {
      fromMs = endMs;
      after = null;
    } else {
      fromMs = Number(last?.[timeAt]);
      after = last?.[idAt] ?? null;
    }
    const tookMs = performance.now() - startedAt;
    if (!isWhole || tookMs > aimMs) spanMs = Math.max(1, Math.floor(spanMs / 4));
    else if (found < maxPageRows / 4) spanMs = Math.min(maxSpanMs, spanMs * 4);
    // Skips time without rows.
    if (isWhole && found === 0) fromMs = await findOldest(database, fromMs, untilMs);
  }
}

/** When the first execution from a time on was recorded; null if there is none. Each partition is asked through its index. */
async function findOldest(database: Database, sinceMs: number | null, untilMs: number): Promise<number | null> {
  const [[found] = []] = await queryTexts(
    database,
    `select (extract(epoch from min(first)) * 1000)::bigint::text from (${strategies()}) as seen
     cross join lateral (
       select recorded_at as first from sluice.strategy_execution_log
       where strategy_id = seen.strategy_id and recorded_at >= $1::timestamptz and recorded_at < $2::timestamptz
       order by recorded_at limit 1) as oldest`,
    [sinceMs === null ? '-infinity' : new Date(sinceMs).toISOString(), new Date(untilMs).toISOString()],
  );
  return found == null ? null : Number(found);
}

/** All strategies: walks from one to the next in the index, however many rows each has. */
function strategies(): string {
  return `with recursive seen (strategy_id) as (
      select min(strategy_id) from sluice.strategy_execution_log
      union all
      select (select min(strategy_id) from sluice.strategy_execution_log where strategy_id > seen.strategy_id)
      from seen where seen.strategy_id is not null)
    select strategy_id from seen where strategy_id is not null`;
}

function toStatement(
  columns: readonly Column[],
  { strategyId, filter }: ExecutionExport,
  { fromMs, endMs, after }: { fromMs: number; endMs: number; after: string | null },
): { sql: string; values: unknown[] } {
  const names = columnNames(columns.length);
  const texts = Prisma.raw(columns.map((column, index) => `${toColumnSql(column)} as ${names[index]}`).join(', '));
  const [from, end] = [new Date(fromMs).toISOString(), new Date(endMs).toISOString()];
  const conditions = [
    ...toConditions(filter),
    Prisma.sql`recorded_at >= ${from}::timestamptz`,
    Prisma.sql`recorded_at < ${end}::timestamptz`,
  ];
  if (after !== null) conditions.push(Prisma.sql`(recorded_at, id) > (${from}::timestamptz, ${after}::uuid)`);
  const where = Prisma.join(conditions, ' and ');
  const isOf = strategyId === null ? Prisma.sql`true` : Prisma.sql`strategy_id = ${strategyId}`;
  // By each strategy's index: no index begins with the time. What belongs to one trace has an index of its own.
  const rows =
    strategyId === null && filter.traceId === undefined
      ? Prisma.sql`select listed.* from (${Prisma.raw(strategies())}) as seen
          cross join lateral (
            select recorded_at, id, ${texts} from sluice.strategy_execution_log
            where strategy_id = seen.strategy_id and ${where} order by recorded_at, id limit ${maxPageRows}) as listed`
      : Prisma.sql`select recorded_at, id, ${texts} from sluice.strategy_execution_log
          where ${isOf} and ${where}`;
  const page = Prisma.sql`select * from (${rows}) as listed order by recorded_at, id limit ${maxPageRows}`;
  return { sql: cutByBytes(page.text, names, 'recorded_at, id'), values: page.values };
}
