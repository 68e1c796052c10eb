import { expect, test } from 'vitest';
import { pageModule } from './page-module.ts';

interface Replay {
  body: { data?: unknown; mockState: Record<string, unknown> } & Record<string, unknown>;
  remarks: string[];
}
const { toReplayBody } = await pageModule<{ toReplayBody(execution: object): Replay }>('lib/replay-body.js');

const run = (overrides: object = {}) => ({
  externalGameId: 'game-1',
  externalTaskId: 'task-1',
  externalUserId: 'user-1',
  strategyType: 'DSL_FULL',
  trace: [
    { nodeId: 'r.compare.0.field.0', type: 'field', value: 4 },
    { nodeId: 'r.compare.0.literal.1', type: 'literal', value: 3 },
    { nodeId: 'r.compare.0', type: 'compare', value: true },
  ],
  traceLength: 3,
  input: { streak: 4, level: 2 },
  ...overrides,
});

test('replay body: whose it was, what came in, and what the run read, by the path that alone has the value', () => {
  expect(toReplayBody(run())).toEqual({
    body: {
      externalGameId: 'game-1',
      externalTaskId: 'task-1',
      externalUserId: 'user-1',
      data: { streak: 4, level: 2 },
      mockState: { 'data.streak': 4 },
    },
    remarks: [],
  });
});

test('replay body: a path that the trace names goes before any guess', () => {
  const trace = [{ nodeId: 'f', type: 'field', path: 'user.avg_time', value: 4 }];
  expect(toReplayBody(run({ trace })).body.mockState).toEqual({ 'user.avg_time': 4 });
});

test('replay body: a value of which it is not known what it was read from stands under its node, and a remark says so', () => {
  const trace = [
    { nodeId: 'r.field.0', type: 'field', value: 17 },
    { nodeId: 'r.field.1', type: 'field', value: null },
    { nodeId: 'r.field.2', type: 'field', value: 1 },
  ];
  const { body, remarks } = toReplayBody(run({ trace, input: { a: 1, b: 1 } }));
  expect(body.mockState).toEqual({ 'r.field.0': 17, 'r.field.1': null, 'r.field.2': 1 });
  expect(remarks).toEqual([expect.stringContaining('3 field values')]);
});

test('replay body: of a field that was read twice the first value counts', () => {
  const trace = [1, 2].map((value) => ({ nodeId: 'f', type: 'field', path: 'data.a', value }));
  expect(toReplayBody(run({ trace })).body.mockState).toEqual({ 'data.a': 1 });
});

test('replay body: input that has the data in a member gives that', () => {
  const { body } = toReplayBody(run({ input: { data: { streak: 4 }, source: 'web' } }));
  expect(body).toMatchObject({ data: { streak: 4 }, mockState: { 'data.streak': 4 } });
});

test('replay body: what is missing is said', () => {
  const { body, remarks } = toReplayBody(
    run({ externalUserId: null, trace: null, traceLength: 400, input: null, strategyType: 'DSL_EXTEND' }),
  );
  expect(body).toEqual({ externalGameId: 'game-1', externalTaskId: 'task-1', externalUserId: '', mockState: {} });
  expect(remarks).toEqual([
    expect.stringContaining('externalUserId'),
    expect.stringContaining('cut'),
    expect.stringContaining('DSL_EXTEND'),
  ]);
});

test('replay body: a name such as __proto__ is only a name', () => {
  const trace = [{ nodeId: 'f', type: 'field', path: '__proto__', value: { polluted: true } }];
  const { body } = toReplayBody(run({ trace }));
  expect(JSON.stringify(body.mockState)).toBe('{"__proto__":{"polluted":true}}');
  expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
});
