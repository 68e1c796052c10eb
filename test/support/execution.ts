import type { Execution } from '../../producers/index.ts';

/** A plain ok execution, with what a test cares about put over it. */
export function anExecution(overrides: Partial<Execution> = {}): Execution {
  return {
    strategyId: '0197c2f0-7a4b-7c3d-9e1f-3b2a1c0d9e8f',
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
      { nodeId: 'r1.c', type: 'compare', value: true },
      { nodeId: 'r1', type: 'rule', value: true, branch: 'match' },
    ],
    input: { level: 3 },
    ...overrides,
  };
}

/** A run that failed. */
export const failure = (overrides: Partial<Execution> = {}): Execution =>
  anExecution({ status: 'error', errorCode: 'DSL_ARITH_DIV_BY_ZERO', points: null, ...overrides });
