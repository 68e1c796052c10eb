import type { ExecutionInput } from '../../shared/contracts/execution-input.ts';
import type { ExecutionRecord } from '../../shared/contracts/execution-schema.ts';

const least: ExecutionInput = { strategyId: 'loyalty', status: 'ok', durationMs: 3.25 };

const whole: ExecutionInput = {
  id: '0197c2f0-7a4b-7c3d-9e1f-3b2a1c0d9e8f',
  recordedAt: '2026-03-04T05:06:07.089+01:00',
  strategyId: 'loyalty',
  strategyVersion: 3,
  strategyType: 'DSL_FULL',
  realmId: 'realm-1',
  externalGameId: 'game-1',
  externalTaskId: 'task-1',
  externalUserId: 'user-1',
  status: 'ok',
  points: 12.5,
  caseName: 'BasicEngagement',
  durationMs: 3.25,
  nodesExecuted: 2,
  trace: [
    { nodeId: 'r1.c', type: 'compare', value: true, path: 'user.level' },
    { nodeId: 'r1', type: 'rule', value: true, branch: 'match' },
  ],
  sampleRate: 0.25,
  input: { user: { level: 3 } },
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  spanId: '00f067aa0ba902b7',
};

const failed: ExecutionInput = {
  strategyId: 'loyalty',
  strategyVersion: 3,
  status: 'error',
  errorCode: 'DSL_ARITH_DIV_BY_ZERO',
  errorMessage: 'division by zero',
  failedNodeId: 'r2.c',
  durationMs: 1.5,
  attempt: 2,
};

export const input = {
  examples: [least, whole, failed],
  counterExamples: {
    'no object': 'loyalty',
    'a list': [least],
    'no strategyId': { status: 'ok', durationMs: 1 },
    'an empty strategyId': { ...least, strategyId: '' },
    'a number for a text': { ...least, strategyId: 7 },
    'an unknown status': { ...least, status: 'OK' },
    'a text for a number': { ...least, durationMs: '3.25' },
    'NaN as text': { ...least, points: 'NaN' },
    'a version beyond 32 bits': { ...least, strategyVersion: 2_147_483_648 },
    'half a node': { ...least, nodesExecuted: 1.5 },
    'a rate of 0': { ...least, sampleRate: 0 },
    'an id that is no UUID': { ...least, id: 'run-1' },
    'the nil UUID': { ...least, id: '00000000-0000-0000-0000-000000000000' },
    'a time without a zone': { ...least, recordedAt: '2026-03-04T05:06:07' },
    'a time that no calendar has': { ...least, recordedAt: '2026-02-30T05:06:07Z' },
    'a trace that is no list': { ...least, trace: { nodeId: 'r1' } },
    'a trace id of zeros': { ...least, traceId: '0'.repeat(32) },
    'a field that the contract does not know': { ...least, strategy_id: 'loyalty' },
  },
};

export const keptRecord: ExecutionRecord = {
  id: '0197c2f0-7a4b-7c3d-9e1f-3b2a1c0d9e8f',
  recordedAt: '2026-03-04T05:06:07.089Z',
  strategyId: 'loyalty',
  strategyVersion: 3,
  strategyType: 'DSL_FULL',
  realmId: 'realm-1',
  externalUserId: 'user-1',
  status: 'ok',
  points: 12.5,
  caseName: 'BasicEngagement',
  durationMs: 3.25,
  nodesExecuted: 2,
  traceLength: 1,
  sampled: true,
  sampleRate: 0.25,
  attempt: 1,
  trace: [{ nodeId: 'r1', type: 'rule', value: true, branch: 'match' }],
  input: { user: { level: 3 } },
};

export const failedRecord: ExecutionRecord = {
  id: '0197c2f0-7a4b-7c3d-9e1f-3b2a1c0d9e90',
  recordedAt: '2026-03-04T05:06:08.000Z',
  strategyId: 'loyalty',
  strategyVersion: 3,
  strategyType: 'DSL_FULL',
  status: 'error',
  errorCode: 'DSL_ARITH_DIV_BY_ZERO',
  errorMessage: 'division by zero',
  failedNodeId: 'r2.c',
  durationMs: 1.5,
  nodesExecuted: 1,
  sampled: false,
  sampleRate: 1,
  attempt: 2,
};

export const recordWithSpan: ExecutionRecord = {
  ...keptRecord,
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  spanId: '00f067aa0ba902b7',
};

export const record = {
  examples: [keptRecord, failedRecord, recordWithSpan],
  counterExamples: {
    'no object': null,
    'no id': { ...keptRecord, id: undefined },
    'an id that is no UUID': { ...keptRecord, id: 'run-1' },
    'a time with an offset': { ...keptRecord, recordedAt: '2026-03-04T05:06:07+01:00' },
    'a time in milliseconds': { ...keptRecord, recordedAt: 1_772_600_767_089 },
    'an identifier of 513 characters': { ...keptRecord, realmId: 'r'.repeat(513) },
    'a version beyond 32 bits': { ...keptRecord, strategyVersion: 2_147_483_648 },
    'an unknown status': { ...keptRecord, status: 'failed' },
    'a text for a number': { ...keptRecord, durationMs: '3.25' },
    'nodes below 0': { ...keptRecord, nodesExecuted: -1 },
    'a rate of 0': { ...keptRecord, sampleRate: 0 },
    'a rate above 1': { ...keptRecord, sampleRate: 1.5 },
    'an attempt of 0': { ...keptRecord, attempt: 0 },
    'a trace that is no list': { ...keptRecord, trace: {} },
    'a trace id in upper case': { ...keptRecord, traceId: '4BF92F3577B34DA6A3CE929D0E0E4736' },
    'a field that the contract does not know': { ...keptRecord, comment: 'x' },
  },
};
