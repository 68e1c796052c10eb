import { z } from 'zod';
import { executionStatuses } from '../../../shared/contracts/execution.ts';
import { cursor, decimal, limit, spanFields, storedAt, text, time, traceId, windowFields } from './common.ts';
import { strategyName } from './names.ts';

export const executionStatus = z.enum(executionStatuses);

/** The query of the list of executions. */
export const executionsQuery = z.strictObject({
  strategyId: text.optional().describe('defaults to all strategies'),
  ...windowFields,
  status: z
    .enum([...executionStatuses, 'failed'])
    .optional()
    .describe('failed: every status except ok'),
  errorCode: text.optional(),
  caseName: text.optional(),
  unmatched: z.enum(['true', 'false']).default('false').describe('true: only executions that matched no case'),
  points: decimal.optional().describe('exactly this many points'),
  realmId: text.optional(),
  externalUserId: text.optional(),
  traceId: traceId.optional(),
  node: text.optional().describe('with `strategyId`: only runs whose trace has this node'),
  gave: text
    .optional()
    .describe(
      'with `node`: what it gave, as JSON or plain text, optionally after =, !=, <, <=, > or >=, such as `>= 10`',
    ),
  input: text
    .optional()
    .describe(
      'with `strategyId`: a field of the input and its value, such as `user.streak >= 4`; a path that begins with / is a JSON Pointer',
    ),
  limit: limit(50),
  cursor: cursor.optional(),
});

const summaryFields = {
  id: z.string(),
  recordedAt: time,
  strategyId: z.string(),
  strategyName,
  strategyVersion: z.int(),
  strategyType: z.string(),
  realmId: z.string().nullable(),
  externalGameId: z.string().nullable(),
  externalTaskId: z.string().nullable(),
  externalUserId: z.string().nullable(),
  status: executionStatus,
  errorCode: z.string().nullable(),
  errorMessage: z.string().nullable(),
  failedNodeId: z.string().nullable(),
  points: z.number().nullable(),
  caseName: z.string().nullable(),
  durationMs: z.number().nullable(),
  nodesExecuted: z.int(),
  traceLength: z.int().nullable().describe('entries before truncation'),
  sampled: z.boolean(),
  sampleRate: z.number().describe('the row stands for 1 / sampleRate runs'),
  parentStrategyId: z.string().nullable(),
  astHash: z.string().nullable(),
  attempt: z.int(),
  notes: z.string().nullable(),
  ...spanFields,
};

export const executionPage = z
  .object({
    executions: z.array(z.object(summaryFields).meta({ id: 'ExecutionSummary' })),
    cursor: z.string().nullable().describe('for the next page; null on the last page'),
    since: time.nullable().describe('the beginning of the window; null: all time'),
    until: time.describe('the end of the window; pass it when asking for the next page'),
    searched: z
      .object({
        executions: z.number(),
        since: time.nullable().describe('when the oldest of them was recorded; null: there was none'),
      })
      .optional()
      .describe(
        'with `node` or `input`: the runs whose traces or inputs this answer has read. The page may be short, or empty, and not the last',
      ),
  })
  .meta({ id: 'ExecutionPage' });

export const execution = z
  .object({ ...summaryFields, trace: z.array(z.unknown()).nullable(), input: z.unknown(), storedAt })
  .meta({ id: 'Execution' });
