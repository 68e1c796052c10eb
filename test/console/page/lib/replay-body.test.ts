import { expect, test } from 'vitest';
import type { ReplayableRun, ToReplayBody } from '../../../../console/page/lib/run-shapes.d.ts';
import { pageModule } from '../../../support/page-module.ts';

const { toReplayBody } = await pageModule<{ toReplayBody: ToReplayBody }>('lib/replay-body.js');

const aRun = (changes: Partial<ReplayableRun> = {}): ReplayableRun => ({
  externalGameId: 'game-1',
  externalTaskId: 'task-1',
  externalUserId: 'user-1',
  strategyType: 'DSL_FULL',
  trace: [],
  traceLength: changes.trace?.length ?? 0,
  input: { ageHours: 3 },
  notes: null,
  ...changes,
});

const field = (nodeId: string | null, value: unknown, path?: string) => ({
  nodeId,
  type: 'field',
  value,
  ...(path === undefined ? {} : { path }),
});

test('replay body: whose it was, its input as data, and what fields read as mockState', () => {
  const trace = [
    field('a', 12, 'user.measurements_count'),
    { nodeId: 'l', type: 'literal', value: 7 },
    field(null, null, 'task.measurements_count'),
    field('c', 'user-1', 'externalUserId'),
    field('d', 3, 'data.ageHours'),
    field('d', 4, 'data.ageHours'),
  ];
  expect(toReplayBody(aRun({ trace }))).toEqual({
    body: {
      externalGameId: 'game-1',
      externalTaskId: 'task-1',
      externalUserId: 'user-1',
      data: { ageHours: 3 },
      mockState: { 'user.measurements_count': 12, 'task.measurements_count': null },
    },
    remarks: [],
    isComplete: true,
  });
});

test('replay body: what the trace does not tell of its fields the program does, wherever in it they stand', () => {
  const run = aRun({ trace: [field('r.compare.0.field.0', 0.5), field('x', 1), field('x', 1)] });
  const program = {
    ast: { rules: [{ condition: { left: { id: 'r.compare.0.field.0', type: 'field', path: 'all.avg_time' } } }] },
  };
  const known = toReplayBody(run, program);
  expect(known.body.mockState).toEqual({ 'all.avg_time': 0.5, x: 1 });
  expect(known.remarks).toEqual([expect.stringContaining('paths 1 of its fields')]);
  const unknown = toReplayBody(run);
  expect(unknown.body.mockState).toEqual({ 'r.compare.0.field.0': 0.5, x: 1 });
  expect(unknown.remarks).toEqual([expect.stringContaining('paths 2 of its fields')]);
});

test('replay body: without the input, fields of the data come from the trace, each as it was read first', () => {
  const trace = [
    field('a', 0, 'data.cells'),
    field('b', 1, 'data.cells'),
    field('c', 1, 'data.rows'),
    field('d', 1, 'data.rows'),
  ];
  const { body, remarks } = toReplayBody(aRun({ input: null, trace }));
  expect(body).not.toHaveProperty('data');
  expect(body.mockState).toEqual({ 'data.cells': 0, 'data.rows': 1 });
  expect(remarks).toEqual([
    expect.stringContaining('no data'),
    expect.stringMatching(/^data\.cells was read with several/),
  ]);
});

test('replay body: a name such as __proto__ is only a name', () => {
  const { body } = toReplayBody(
    aRun({ trace: [field('a', { polluted: true }, '__proto__'), field('b', 2, 'constructor')] }),
  );
  expect(JSON.stringify(body.mockState)).toBe('{"__proto__":{"polluted":true},"constructor":2}');
  expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
});

test('replay body: the input is given as it is, also when it has a member named data', () => {
  const input = { data: { streak: 4 }, source: 'web' };
  expect(toReplayBody(aRun({ input })).body.data).toEqual(input);
});

test('replay body: in what the simulation may differ from the run is said', () => {
  const remarks = (changes: Partial<ReplayableRun>) => toReplayBody(aRun(changes)).remarks.join('\n');
  expect(remarks({ strategyType: 'DSL_EXTEND' })).toContain('0 points');
  expect(remarks({ input: [1] })).toContain('not an object');
  expect(remarks({ trace: null, traceLength: null })).toContain('no trace');
  expect(remarks({ trace: [1], traceLength: 9 })).toContain('8 of its 9 entries');
  expect(remarks({ notes: 'input cut' })).toContain('input cut');
});

test.each([
  [{ externalTaskId: null }, false],
  [{ externalTaskId: '' }, false],
  [{ externalUserId: 'u'.repeat(201) }, false],
  [{ externalUserId: 'u'.repeat(200) }, true],
])('replay body: with %o it would be accepted: %s', (changes, accepted) => {
  const { isComplete, remarks } = toReplayBody(aRun(changes));
  expect(isComplete).toBe(accepted);
  expect(remarks.length > 0).toBe(!accepted);
});
