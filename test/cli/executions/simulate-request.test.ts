import { expect, test } from 'vitest';
import { isComplete, toSimulation } from '../../../cli/executions/simulate-request.ts';
import type { StoredExecution } from '../../../console/repository/executions/one.ts';

function anExecution(changes: Partial<StoredExecution> = {}): StoredExecution {
  return {
    id: '0197c2f0-7a4b-7c3d-9e1f-3b2a1c0d9e8f',
    recordedAt: new Date('2026-03-03T10:00:00Z'),
    strategyId: 's1',
    strategyVersion: 3,
    strategyType: 'DSL_FULL',
    realmId: 'realm-1',
    externalGameId: 'game-1',
    externalTaskId: 'task-1',
    externalUserId: 'user-1',
    status: 'ok',
    errorCode: null,
    errorMessage: null,
    failedNodeId: null,
    points: 40,
    caseName: 'FRESH',
    durationMs: 2,
    nodesExecuted: 3,
    traceLength: 0,
    sampled: true,
    sampleRate: 1,
    parentStrategyId: null,
    astHash: null,
    attempt: 1,
    notes: null,
    trace: [],
    input: { ageHours: 3 },
    ...changes,
  };
}

const field = (nodeId: string, value: unknown, path?: string) => ({
  nodeId,
  type: 'field',
  value,
  ...(path === undefined ? {} : { path }),
});

test('simulation: whom the run was for, its input as data, and what fields read as mockState', () => {
  const { request, caveats } = toSimulation(
    anExecution({
      trace: [
        field('a', 12, 'user.measurements_count'),
        { nodeId: 'l', type: 'literal', value: 7 },
        field('b', null, 'task.measurements_count'),
        field('c', 'user-1', 'externalUserId'),
        field('d', 3, 'data.ageHours'),
      ],
      traceLength: 5,
    }),
    null,
  );
  expect(request).toEqual({
    externalGameId: 'game-1',
    externalTaskId: 'task-1',
    externalUserId: 'user-1',
    data: { ageHours: 3 },
    mockState: { 'user.measurements_count': 12, 'task.measurements_count': null },
  });
  expect(caveats).toEqual([]);
});

test('simulation: what a trace does not tell of its fields the program does, wherever in it they stand', () => {
  const execution = anExecution({ trace: [field('r.compare.0.field.0', 0.5), field('x', 1)], traceLength: 2 });
  const program = {
    ast: { rules: [{ condition: { left: { id: 'r.compare.0.field.0', type: 'field', path: 'all.avg_time' } } }] },
  };
  const known = toSimulation(execution, program);
  expect(known.request.mockState).toEqual({ 'all.avg_time': 0.5 });
  expect(known.caveats).toEqual([expect.stringMatching(/^1 values .*--program FILE/)]);
  const unknown = toSimulation(execution, null);
  expect(unknown.request).not.toHaveProperty('mockState');
  expect(unknown.caveats).toEqual([expect.stringMatching(/^2 values/)]);
});

test('simulation: without the input, fields of the data come from the trace, each as it was read first', () => {
  const { request, caveats } = toSimulation(
    anExecution({
      input: null,
      trace: [
        field('a', 0, 'data.cells'),
        field('b', 1, 'data.cells'),
        field('c', 1, 'data.rows'),
        field('d', 1, 'data.rows'),
      ],
      traceLength: 4,
    }),
    null,
  );
  expect(request).not.toHaveProperty('data');
  expect(request.mockState).toEqual({ 'data.cells': 0, 'data.rows': 1 });
  expect(caveats).toEqual([
    expect.stringContaining('no data'),
    expect.stringMatching(/^data\.cells was read with several/),
  ]);
});

test('simulation: names of fields are only names', () => {
  const { request } = toSimulation(
    anExecution({ trace: [field('a', 1, '__proto__'), field('b', 2, 'constructor')] }),
    null,
  );
  expect(JSON.stringify(request.mockState)).toBe('{"__proto__":1,"constructor":2}');
});

test('simulation: in what it may differ from the run is said', () => {
  const caveats = (changes: Partial<StoredExecution>) => toSimulation(anExecution(changes), null).caveats.join('\n');
  expect(caveats({ strategyType: 'DSL_EXTEND' })).toContain('0 points');
  expect(caveats({ input: [1] })).toContain('no object');
  expect(caveats({ trace: null, traceLength: null })).toContain('no trace');
  expect(caveats({ trace: [1], traceLength: 9 })).toContain('8 of 9 entries');
  expect(caveats({ notes: 'input cut' })).toContain('input cut');
});

test.each([
  [{ externalTaskId: null }, false],
  [{ externalTaskId: '' }, false],
  [{ externalUserId: 'u'.repeat(201) }, false],
  [{ externalUserId: 'u'.repeat(200) }, true],
])('simulation: with %o it would be accepted: %s', (changes, accepted) => {
  const simulation = toSimulation(anExecution(changes), null);
  expect(isComplete(simulation)).toBe(accepted);
  expect(simulation.caveats.length > 0).toBe(!accepted);
});
