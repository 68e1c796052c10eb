import { randomUUID } from 'node:crypto';
import { executionStatuses } from '../../shared/contracts/execution.ts';
import type { ExecutionRecord } from '../../shared/contracts/execution-schema.ts';

/** A run that ended well and one that failed, of a strategy that there is not. */
export function goodExecutions(nowMs: number): string[] {
  const [ok, error] = executionStatuses;
  return [ok, error].map((status) => {
    const record: ExecutionRecord = {
      id: randomUUID(),
      recordedAt: new Date(nowMs).toISOString(),
      strategyId: 'sluice rehearsal',
      strategyVersion: 1,
      strategyType: 'DSL_FULL',
      realmId: 'sluice',
      externalGameId: 'sluice',
      externalTaskId: 'sluice',
      externalUserId: 'sluice',
      status,
      errorCode: status === ok ? null : 'REHEARSAL',
      errorMessage: status === ok ? null : 'rehearsal',
      points: status === ok ? 1 : null,
      caseName: status === ok ? 'rehearsal' : null,
      durationMs: 1,
      nodesExecuted: 1,
      trace: [{ nodeId: 'n', type: 'literal', value: 1 }],
      traceLength: 1,
      sampled: status === ok,
      sampleRate: 1,
      input: {},
      attempt: 1,
      traceId: 'f'.repeat(32),
      spanId: 'f'.repeat(16),
    };
    return JSON.stringify([record]);
  });
}
