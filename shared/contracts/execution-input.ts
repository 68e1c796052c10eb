import { z } from 'zod';
import { executionLimits, executionStatuses } from './execution.ts';
import { inputId, inputSpanFields, inputTime } from './input-fields.ts';

const count = z.int().min(0).max(executionLimits.integer).nullish();
const text = z.string().nullish();

/**
 * An execution as a service sends it to the gateway. Only `strategyId`, `status` and `durationMs` are required; null counts as
 * absent. A text that is too long for its column is cut, and what PostgreSQL cannot store (NUL, lone surrogates) is replaced:
 * `notes` of the row says so.
 */
export const executionInputSchema = z.strictObject({
  /** a repetition with the same id and the same `recordedAt` stores nothing twice. @default derived or made by the gateway */
  id: inputId.nullish(),
  /**
   * when the run ended. Required with an `id` that is not of version 7, since a row is found by both.
   * @default the time in an id of version 7, else that of the arrival
   */
  recordedAt: inputTime.nullish(),
  strategyId: z.string().min(1),
  /** @default 0 */
  strategyVersion: z.int().min(-executionLimits.integer).max(executionLimits.integer).nullish(),
  /** `DSL_FULL`, `DSL_EXTEND` or a name of your own. @default 'unknown' */
  strategyType: text,
  realmId: text,
  externalGameId: text,
  externalTaskId: text,
  externalUserId: text,
  status: z.enum(executionStatuses),
  /** a stable code, for runs that failed */
  errorCode: text,
  errorMessage: text,
  failedNodeId: text,
  points: z.number().nullish(),
  caseName: text,
  /** wall-clock time of the whole run, in ms */
  durationMs: z.number(),
  /** evaluated nodes. @default 0 */
  nodesExecuted: count,
  /** entries in evaluation order; of a longer one than DSL_EXECUTION_LOG_TRACE_LIMIT of the gateway only that many are kept */
  trace: z.array(z.unknown()).nullish(),
  /** entries before the sender has cut it. @default those of `trace` */
  traceLength: count,
  /** the rate at which the sender keeps `ok` runs: the row stands for `1 / sampleRate` of them. A failure has 1. @default 1 */
  sampleRate: z.number().gt(0).max(1).nullish(),
  parentStrategyId: text,
  astHash: text,
  /** the input of the run, so that it can be replayed; any JSON */
  input: z.unknown().optional(),
  /** 1 for the first attempt at an event. @default 1 */
  attempt: z.int().min(1).max(executionLimits.integer).nullish(),
  /** what the sender has changed to make the record fit; the gateway adds its own */
  notes: z.string().max(executionLimits.notesChars).nullish(),
  ...inputSpanFields,
});

export type ExecutionInput = z.infer<typeof executionInputSchema>;
