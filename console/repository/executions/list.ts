import { type ExecutionStatus, executionStatuses } from '../../../shared/contracts/execution.ts';
import { type Database, Prisma } from '../../../shared/database.ts';
import { UsageError } from '../../../shared/errors.ts';
import { type ExecutionPosition, parseCursor, toCursor } from './cursor.ts';
import { inSnapshot } from './snapshot.ts';
import { checkWindow, type WindowRequest } from './window.ts';

/** Everything but ok. */
export const failureStatuses = executionStatuses.filter((status) => status !== 'ok');

/** Which executions are meant; what is left out does not restrict. */
export interface ExecutionFilter {
  /** `failed`: each that is not ok */
  status?: ExecutionStatus | 'failed';
  errorCode?: string;
  /** null: those that matched none */
  caseName?: string | null;
  /** exactly so many */
  points?: number;
  realmId?: string;
  externalUserId?: string;
}

/** An execution without its trace and input. */
export interface ExecutionSummary {
  id: string;
  recordedAt: Date;
  strategyId: string;
  strategyVersion: number;
  strategyType: string;
  realmId: string | null;
  externalGameId: string | null;
  externalTaskId: string | null;
  externalUserId: string | null;
  status: ExecutionStatus;
  errorCode: string | null;
  errorMessage: string | null;
  failedNodeId: string | null;
  /** null: it scored nothing, or NaN or an infinity */
  points: number | null;
  caseName: string | null;
  /** ms; null when it is NaN or infinite */
  durationMs: number | null;
  nodesExecuted: number;
  /** entries before truncation */
  traceLength: number | null;
  sampled: boolean;
  sampleRate: number;
  parentStrategyId: string | null;
  astHash: string | null;
  attempt: number;
  notes: string | null;
}

/** A page of a list. */
export interface ExecutionPage {
  executions: ExecutionSummary[];
  /** for the next page; null when this is the last */
  cursor: string | null;
}

/** What is asked for. */
export interface ExecutionListQuestion {
  strategyId: string;
  window: WindowRequest;
  filter?: ExecutionFilter;
  /** executions in a page, 1 to 200. @default 50 */
  limit?: number;
  /** as the page before returned it */
  cursor?: string | null;
  /** of the statement. @default what the database was opened with */
  timeoutMs?: number;
}

const maxLimit = 200;

/**
 * Lists the executions of a strategy, the newest first. The pages together have each once. What arrives meanwhile belongs
 * before what was read already, and moves nothing. For pages over a window that ends now, ask for each with the same `until`.
 *
 * @throws UsageError when the limit is out of range, the cursor is none, or nothing lies in the window
 */
export async function listExecutions(database: Database, question: ExecutionListQuestion): Promise<ExecutionPage> {
  const { limit = 50, cursor } = question;
  if (!Number.isInteger(limit) || limit < 1 || limit > maxLimit) {
    throw new UsageError(`limit is ${limit}; accepted: 1 to ${maxLimit}`);
  }
  const after = cursor == null ? null : parseCursor(cursor);
  const slices = toSlices(checkWindow(question.window), after);
  const found = await inSnapshot(
    database,
    async (snapshot) => {
      const rows: ExecutionSummary[] = [];
      for (const window of slices) {
        if (rows.length > limit) break;
        const statement = toListStatement({ ...question, window }, limit + 1 - rows.length, after);
        rows.push(...(await snapshot.$queryRaw<ExecutionSummary[]>(statement)));
      }
      return rows;
    },
    question.timeoutMs,
  );
  const executions = found.slice(0, limit);
  const last = executions.at(-1);
  return { executions, cursor: last !== undefined && found.length > limit ? toCursor(last) : null };
}

const dayMs = 24 * 3_600_000;

/**
 * The newest day of a window, the week before it and the rest, which follow upon each other. A page is mostly full after the
 * first, and a statement that concerns two partitions is planned in a fraction of the time of one that concerns all.
 */
export function toSlices({ since, until }: WindowRequest, after: ExecutionPosition | null): WindowRequest[] {
  // One later than the last row read: others may have its time.
  const endMs = after === null ? until.getTime() : Math.min(until.getTime(), after.recordedAt.getTime() + 1);
  const sinceMs = since?.getTime() ?? 0;
  const edges = [endMs - dayMs, endMs - 8 * dayMs].filter((edge) => edge > sinceMs).map((edge) => new Date(edge));
  return [new Date(endMs), ...edges].map((end, index) => ({ since: edges[index] ?? since, until: end }));
}

/** The statement of a page. That a failure is not ok is said in words: the index of failures is for nothing else. */
export function toListStatement(
  { strategyId, window, filter = {} }: Pick<ExecutionListQuestion, 'strategyId' | 'window' | 'filter'>,
  rows: number,
  after: ExecutionPosition | null,
): Prisma.Sql {
  const conditions = [Prisma.sql`strategy_id = ${strategyId}`, ...toConditions(filter), ...toTimes(window, after)];
  return Prisma.sql`select ${summaryColumns} from strategy_execution_log
    where ${Prisma.join(conditions, ' and ')} order by recorded_at desc, id desc limit ${rows}`;
}

function toTimes({ since, until }: WindowRequest, after: ExecutionPosition | null): Prisma.Sql[] {
  const times = [Prisma.sql`recorded_at < ${until}`];
  if (since !== null) times.push(Prisma.sql`recorded_at >= ${since}`);
  if (after !== null) {
    // Said twice: the first alone decides which partitions are read, and where in an index the scan begins.
    times.push(Prisma.sql`recorded_at <= ${after.recordedAt}`);
    times.push(Prisma.sql`(recorded_at, id) < (${after.recordedAt}, ${after.id}::uuid)`);
  }
  return times;
}

function toConditions({ status, errorCode, caseName, points, realmId, externalUserId }: ExecutionFilter): Prisma.Sql[] {
  const conditions: Prisma.Sql[] = [];
  if (status !== undefined && status !== 'ok') conditions.push(Prisma.sql`status <> 'ok'`);
  if (status !== undefined && status !== 'failed') conditions.push(Prisma.sql`status = ${status}`);
  if (errorCode !== undefined) conditions.push(Prisma.sql`error_code = ${errorCode}`);
  if (caseName === null) conditions.push(Prisma.sql`case_name is null`);
  else if (caseName !== undefined) conditions.push(Prisma.sql`case_name = ${caseName}`);
  if (points !== undefined) conditions.push(Prisma.sql`points = ${points}::float8`);
  if (realmId !== undefined) conditions.push(Prisma.sql`realm_id = ${realmId}`);
  if (externalUserId !== undefined) conditions.push(Prisma.sql`external_user_id = ${externalUserId}`);
  return conditions;
}

const finite = (column: string): string =>
  `case when ${column} > '-Infinity' and ${column} < 'Infinity' then ${column} end`;

const columnOf: Record<keyof ExecutionSummary, string> = {
  id: 'id',
  recordedAt: 'recorded_at',
  strategyId: 'strategy_id',
  strategyVersion: 'strategy_version',
  strategyType: 'strategy_type',
  realmId: 'realm_id',
  externalGameId: 'external_game_id',
  externalTaskId: 'external_task_id',
  externalUserId: 'external_user_id',
  status: 'status',
  errorCode: 'error_code',
  errorMessage: 'error_message',
  failedNodeId: 'failed_node_id',
  points: finite('points'),
  caseName: 'case_name',
  durationMs: finite('duration_ms'),
  nodesExecuted: 'nodes_executed',
  traceLength: 'trace_length',
  sampled: 'sampled',
  sampleRate: 'sample_rate',
  parentStrategyId: 'parent_strategy_id',
  astHash: 'ast_hash',
  attempt: 'attempt',
  notes: 'notes',
};

/** Without trace and input, which PostgreSQL keeps elsewhere when they are large. */
export const summaryColumns = Prisma.raw(
  Object.entries(columnOf)
    .map(([field, column]) => `${column} as "${field}"`)
    .join(', '),
);
