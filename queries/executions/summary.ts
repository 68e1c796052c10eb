import type { ExecutionStatus } from '../../shared/contracts/execution.ts';
import { Prisma } from '../../shared/platform/postgres/database.ts';

/** Without trace and input, which PostgreSQL stores out of line if they are large. */
const fields = [
  'id',
  'recordedAt',
  'strategyId',
  'strategyVersion',
  'strategyType',
  'realmId',
  'externalGameId',
  'externalTaskId',
  'externalUserId',
  'status',
  'errorCode',
  'errorMessage',
  'failedNodeId',
  'points',
  'caseName',
  'durationMs',
  'nodesExecuted',
  'traceLength',
  'sampled',
  'sampleRate',
  'parentStrategyId',
  'astHash',
  'attempt',
  'notes',
  'traceId',
  'spanId',
] as const;

/** An execution without its trace and input. */
export interface ExecutionSummary
  extends Pick<
    Prisma.StrategyExecutionLogGetPayload<object>,
    Exclude<(typeof fields)[number], 'status' | 'durationMs'>
  > {
  status: ExecutionStatus;
  /** ms; null, as the points are, if it is NaN or infinite */
  durationMs: number | null;
}

/** The SQL for a field. */
function toColumn(field: (typeof fields)[number]): string {
  const column = field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const isDouble = field === 'points' || field === 'durationMs';
  return isDouble ? `case when ${column} > '-Infinity' and ${column} < 'Infinity' then ${column} end` : column;
}

export const summaryColumns = Prisma.raw(fields.map((field) => `${toColumn(field)} as "${field}"`).join(', '));
