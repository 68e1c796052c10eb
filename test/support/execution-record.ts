import { expect } from 'vitest';
import type { Execution } from '../../producers/executions/execution.ts';
import { type RecordContext, toExecutionRecord } from '../../producers/executions/execution-record.ts';
import { executionFields } from '../../shared/contracts/canonical-text.ts';
import { type ExecutionRecord, executionRecordSchema } from '../../shared/contracts/execution-schema.ts';
import { isStorableText, textsOf } from './any-value.ts';
import { expectCanonical } from './canonical-text.ts';
import { anExecution } from './execution.ts';

export const nowMs = Date.UTC(2026, 2, 4, 5, 6, 7, 89);
export const context: RecordContext = { nowMs, sampleRate: 0.25, traceLimit: 200, maxBytes: 65_536 };

/** Makes the record of anything at all, and holds it against everything that is promised of every record. */
export function recordOf(execution: unknown, changes: Partial<RecordContext> = {}): ExecutionRecord {
  const { json, bytes } = toExecutionRecord(execution as Execution, { ...context, ...changes });
  expect(bytes).toBe(Buffer.byteLength(json));
  expect(bytes).toBeLessThanOrEqual(changes.maxBytes ?? context.maxBytes);
  expectCanonical(json, executionFields);
  const parsed = JSON.parse(json);
  expect(textsOf(parsed).filter((text) => !isStorableText(text))).toEqual([]);
  return executionRecordSchema.strict().parse(parsed);
}

export const withField = (name: string, value: unknown) => ({ ...anExecution(), [name]: value });

export const entries = (count: number, value: unknown) =>
  Array.from({ length: count }, (_, n) => ({ nodeId: `n${n}`, type: 'field', value }));

export const identifiers = [
  'strategyId',
  'strategyType',
  'realmId',
  'externalGameId',
  'externalTaskId',
  'externalUserId',
  'errorCode',
  'failedNodeId',
  'caseName',
  'parentStrategyId',
  'astHash',
] as const;
export const texts = [...identifiers, 'errorMessage'] as const;
