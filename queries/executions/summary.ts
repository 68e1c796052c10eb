import type { ExecutionStatus } from '../../shared/contracts/execution.ts';
import { Prisma } from '../../shared/platform/postgres/database.ts';

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
  /** null: it has no score, or one that is NaN or infinite */
  points: number | null;
  caseName: string | null;
  /** ms; null if it is NaN or infinite */
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
  /** the span of OpenTelemetry that it ran in */
  traceId: string | null;
  spanId: string | null;
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
  traceId: 'trace_id',
  spanId: 'span_id',
};

/** Without trace and input, which PostgreSQL stores out of line if they are large. */
export const summaryColumns = Prisma.raw(
  Object.entries(columnOf)
    .map(([field, column]) => `${column} as "${field}"`)
    .join(', '),
);
