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
  id: z
    .uuid()
    .describe(
      'Identifies the run. With `recordedAt` it is the key of the row: the same pair again is not stored twice.',
    ),
  recordedAt: z.iso
    .datetime()
    .describe(
      'When the run ended, ISO 8601 in UTC with a Z. It decides the partition. A time before 2000 or more than a day ahead is stored with a note.',
    ),
  strategyId: identifier.describe('The definition that ran.'),
  strategyVersion: z
    .int()
    .min(-executionLimits.integer)
    .max(executionLimits.integer)
    .describe('The version of the definition; 0 if it has none.'),
  strategyType: identifier.describe('`DSL_FULL`, `DSL_EXTEND` or a name of your own; `unknown` if there is none.'),
  realmId: identifier.nullish().describe('The tenant.'),
  externalGameId: identifier.nullish().describe('The game that the run was for, as its owner names it.'),
  externalTaskId: identifier.nullish().describe('The task that the run was for, as its owner names it.'),
  externalUserId: identifier.nullish().describe('The person that the run was for; an erasure goes by it.'),
  status: z
    .enum(executionStatuses)
    .describe('How the run ended. Everything but `ok` is a failure, and is never sampled.'),
  errorCode: identifier.nullish().describe('A stable code, for runs that failed.'),
  errorMessage: z.string().max(executionLimits.messageChars).nullish().describe('For people, for runs that failed.'),
  failedNodeId: identifier.nullish().describe('The node at which the run failed.'),
  points: z.number().nullish().describe('The result, where the strategy gives points.'),
  caseName: identifier.nullish().describe('The case that the strategy decided for.'),
  durationMs: z
    .number()
    .describe('Wall-clock time of the whole run in milliseconds. Below 0 it is stored with a note.'),
  nodesExecuted: count.describe('Number of evaluated nodes; 0 if nobody counted.'),
  trace: z
    .array(z.unknown())
    .nullish()
    .describe(
      'The evaluated nodes in order, operands before the node that uses them: objects with `nodeId`, `type`, `value`, and optionally `branch` and `path`. Nested at most 64 levels.',
    ),
  traceLength: count.nullish().describe('Entries of the trace before it was cut.'),
  sampled: z.boolean().describe('True: kept by the sampler, as an `ok` run. False: kept because it failed.'),
  sampleRate: z
    .number()
    .gt(0)
    .max(1)
    .describe('The rate in force: the row stands for 1 / sampleRate runs. A failure has 1.'),
  parentStrategyId: identifier.nullish().describe('The built-in strategy that a `DSL_EXTEND` run wraps.'),
  astHash: identifier.nullish().describe('Identifies the program that ran, if drafts can change under one version.'),
  input: z
    .unknown()
    .optional()
    .describe('The input of the run, so that it can be replayed: any JSON. Nested at most 64 levels.'),
  attempt: z.int().min(1).max(executionLimits.integer).describe('1 for the first attempt at an event.'),
  notes: z
    .string()
    .max(executionLimits.notesChars)
    .nullish()
    .describe('What the producer changed to make the record storable.'),
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
