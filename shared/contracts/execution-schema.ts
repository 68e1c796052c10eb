import { z } from 'zod';
import { executionLimits, executionStatuses } from './execution.ts';
import { parseSafely } from './parse-chunk.ts';
import { findImplausibility } from './plausible-time.ts';
import { spanContextFields } from './span-context-schema.ts';

const identifier = z.string().max(executionLimits.identifierChars);
const count = z.int().min(0).max(executionLimits.integer);

/**
 * An execution as it travels in a chunk. Fields without a value are left out. Times are ISO 8601 in UTC, durations are
 * milliseconds.
 *
 * `sampleRate` is the rate in force when the row was kept: the row stands for `1 / sampleRate` runs. A failure has 1.
 */
export const executionRecordSchema = z.strictObject({
  id: z.uuid(),
  recordedAt: z.iso.datetime(),
  strategyId: identifier,
  strategyVersion: z.int().min(-executionLimits.integer).max(executionLimits.integer),
  strategyType: identifier,
  realmId: identifier.nullish(),
  externalGameId: identifier.nullish(),
  externalTaskId: identifier.nullish(),
  externalUserId: identifier.nullish(),
  status: z.enum(executionStatuses),
  errorCode: identifier.nullish(),
  errorMessage: z.string().max(executionLimits.messageChars).nullish(),
  failedNodeId: identifier.nullish(),
  points: z.number().nullish(),
  caseName: identifier.nullish(),
  durationMs: z.number(),
  nodesExecuted: count,
  trace: z.array(z.unknown()).nullish(),
  traceLength: count.nullish(),
  sampled: z.boolean(),
  sampleRate: z.number().gt(0).max(1),
  parentStrategyId: identifier.nullish(),
  astHash: identifier.nullish(),
  input: z.unknown().optional(),
  attempt: z.int().min(1).max(executionLimits.integer),
  notes: z.string().max(executionLimits.notesChars).nullish(),
  ...spanContextFields,
});

export type ExecutionRecord = z.infer<typeof executionRecordSchema>;

/** What is wrong with a record, by field; null if nothing is. A field that the contract does not know is also wrong. */
export function findRecordProblem(record: unknown): string | null {
  const parsed = parseSafely(executionRecordSchema, record);
  return parsed.success ? null : parsed.reason;
}

/**
 * What is impossible about a record's times, as its notes say it; null if nothing is.
 *
 * @param latest see latestPlausible
 */
export function findExecutionOddity(
  { recordedAt, durationMs }: Pick<ExecutionRecord, 'recordedAt' | 'durationMs'>,
  latest: string,
): string | null {
  const implausibility = findImplausibility(recordedAt, latest);
  if (implausibility !== null) return `recordedAt: ${implausibility}`;
  return durationMs < 0 ? `durationMs: ${durationMs} is below 0` : null;
}
