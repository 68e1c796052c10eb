import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Execution } from '../../../producers/executions/execution.ts';
import {
  describeFailure,
  type ExecutionRun,
  type ExecutionSubject,
  type WithExecutionOptions,
  withExecution,
} from '../../../producers/executions/with-execution.ts';
import { aSpan, inSpan, startOpenTelemetry } from '../../support/open-telemetry.ts';
import { revokedProxy, throwingGetter, unreadableObjects } from '../../support/unreadable.ts';

const subject: ExecutionSubject = {
  strategyId: 's',
  strategyVersion: 2,
  strategyType: 'DSL_FULL',
  realmId: 'r',
  input: { level: 1 },
};

/** Everything that was recorded, and a run on a clock that shows 100, then 107.5. */
function observed() {
  const records: Execution[] = [];
  const readings = [100, 107.5];
  const now = () => readings.shift() ?? Number.NaN;
  const run = <T>(work: (run: ExecutionRun) => T, options: WithExecutionOptions = {}): T =>
    withExecution({ record: (execution) => records.push(execution) }, subject, work, { now, ...options });
  return { records, run };
}

/** What `work` throws, or what its promise is rejected with; in a box, since not everything can be awaited. */
async function thrownBy(work: () => unknown): Promise<{ thrown: unknown }> {
  try {
    await work();
  } catch (thrown) {
    return { thrown };
  }
  throw new Error('nothing was thrown');
}

function throws(value: unknown): () => never {
  return () => {
    throw value;
  };
}

const coded = (code: string, fields: object = {}) =>
  Object.assign(new Error(`failed with ${code}`), { code, ...fields });

test('run: an ok one is recorded once, with what it said of itself', () => {
  const { records, run } = observed();
  const points = run((self) => {
    self.trace.push({ nodeId: 'n1', type: 'literal', value: 5 }, { nodeId: 'n2', type: 'assign_points', value: 5 });
    self.points = 5;
    self.caseName = 'Basic';
    return 5;
  });
  expect(points).toBe(5);
  expect(records).toEqual([
    {
      ...subject,
      status: 'ok',
      points: 5,
      caseName: 'Basic',
      durationMs: 7.5,
      nodesExecuted: 2,
      trace: [
        { nodeId: 'n1', type: 'literal', value: 5 },
        { nodeId: 'n2', type: 'assign_points', value: 5 },
      ],
    },
  ]);
});

test('run: the nodes that it counted itself go before the length of its trace', () => {
  const { records, run } = observed();
  run((self) => {
    self.trace.push({ nodeId: null, type: 'literal', value: 1 });
    self.nodesExecuted = 40;
  });
  expect(records[0]).toMatchObject({ nodesExecuted: 40 });
});

test('run: synchronous work stays synchronous', () => {
  const { records, run } = observed();
  const result = run(() => 'done');
  expect(result).toBe('done');
  expect(records).toHaveLength(1);
});

test.each([[undefined], [null], [0], ['then'], [JSON.parse('{"then":5}')], [() => 1]])(
  'run: %o is returned as it is',
  (value) => {
    const { records, run } = observed();
    expect(run(() => value)).toBe(value);
    expect(records).toMatchObject([{ status: 'ok' }]);
  },
);

test('run: asynchronous work is recorded when it ends, not when it starts', async () => {
  const { records, run } = observed();
  const gate = Promise.withResolvers<number>();
  const result = run(async (self) => {
    self.points = await gate.promise;
    return self.points;
  });
  await Promise.resolve();
  expect(records).toEqual([]);
  gate.resolve(3);
  expect(await result).toBe(3);
  expect(records).toMatchObject([{ status: 'ok', points: 3, durationMs: 7.5 }]);
});

test('run: division by zero is recorded once, with its code, its trace so far and its node, and goes on to the caller', () => {
  const { records, run } = observed();
  const error = coded('DSL_ARITH_DIV_BY_ZERO', { nodeId: 'n2' });
  const fail = (): number =>
    run((self) => {
      self.trace.push({ nodeId: 'n1', type: 'literal', value: 0 });
      self.points = 4;
      self.caseName = 'half done';
      throw error;
    });
  expect(fail).toThrow(error);
  expect(records).toEqual([
    {
      ...subject,
      status: 'error',
      errorCode: 'DSL_ARITH_DIV_BY_ZERO',
      errorMessage: 'failed with DSL_ARITH_DIV_BY_ZERO',
      failedNodeId: 'n2',
      points: null,
      caseName: null,
      durationMs: 7.5,
      nodesExecuted: 1,
      trace: [{ nodeId: 'n1', type: 'literal', value: 0 }],
    },
  ]);
});

test('run: a rejected one keeps its trace so far, and rejects with the very same value', async () => {
  const { records, run } = observed();
  const error = new Error('later');
  const { thrown } = await thrownBy(() =>
    run(async (self) => {
      self.trace.push({ nodeId: 'n1', type: 'literal', value: 1 });
      await Promise.resolve();
      throw error;
    }),
  );
  expect(thrown).toBe(error);
  expect(records).toMatchObject([{ status: 'error', errorCode: 'DSL_UNEXPECTED', trace: [{ nodeId: 'n1' }] }]);
});

test('run: the node that it named itself goes before the one in the error', () => {
  const { records, run } = observed();
  expect(() =>
    run((self) => {
      self.failedNodeId = 'mine';
      throw coded('X', { nodeId: 'theirs' });
    }),
  ).toThrow('X');
  expect(records).toMatchObject([{ failedNodeId: 'mine' }]);
});

test.each<[kind: string, thrown: unknown, recorded: Partial<Execution>]>([
  ['a timeout by its code', coded('DSL_TIMEOUT'), { status: 'timeout', errorCode: 'DSL_TIMEOUT' }],
  ['a timeout by its name', new DOMException('slow', 'TimeoutError'), { status: 'timeout', errorCode: 'DSL_TIMEOUT' }],
  ['a limit', coded('DSL_LIMIT_EXCEEDED'), { status: 'limit', errorCode: 'DSL_LIMIT_EXCEEDED' }],
  ['a cancellation', new DOMException('stop', 'AbortError'), { status: 'cancelled', errorCode: 'DSL_CANCELLED' }],
  [
    "a cancellation with Node's code",
    coded('ABORT_ERR', { name: 'AbortError' }),
    { status: 'cancelled', errorCode: 'ABORT_ERR' },
  ],
  ['an error with a code', coded('DSL_UNKNOWN_STATEMENT'), { status: 'error', errorCode: 'DSL_UNKNOWN_STATEMENT' }],
  ['an error without one', new TypeError('x is not a function'), { status: 'error', errorCode: 'DSL_UNEXPECTED' }],
  ['an error whose code is a number', Object.assign(new Error(), { code: 5 }), { errorCode: 'DSL_UNEXPECTED' }],
])('failure: %s is recorded as such', async (_kind, thrown, recorded) => {
  const { records, run } = observed();
  expect((await thrownBy(() => run(throws(thrown)))).thrown).toBe(thrown);
  expect(records).toHaveLength(1);
  expect(records[0]).toMatchObject(recorded);
  expect(records[0]?.errorMessage).toBe((thrown as Error).message);
});

test.each<[thrown: unknown, message: string | null]>([
  ['just words', 'just words'],
  [5, null],
  [null, null],
  [undefined, null],
  [Symbol('s'), null],
  [{ message: 'of an object' }, 'of an object'],
  [{ message: 5 }, null],
])('failure: %o thrown is recorded, and thrown again as it is', async (thrown, errorMessage) => {
  for (const work of [throws(thrown), () => Promise.reject(thrown)]) {
    const { records, run } = observed();
    expect((await thrownBy(() => run<unknown>(work))).thrown).toBe(thrown);
    expect(records).toMatchObject([{ status: 'error', errorCode: 'DSL_UNEXPECTED', errorMessage }]);
  }
});

test.each([...unreadableObjects(), ['an object whose code throws', throwingGetter('code')] as const])(
  'failure: %s thrown is recorded, and thrown again as it is',
  async (_kind, thrown) => {
    const { records, run } = observed();
    expect((await thrownBy(() => run(throws(thrown)))).thrown === thrown).toBe(true);
    expect(records).toMatchObject([{ status: 'error', errorCode: 'DSL_UNEXPECTED' }]);
  },
);

test('failure: one getter that throws does not hide the other fields', async () => {
  const { records, run } = observed();
  const thrown = Object.assign(throwingGetter('message'), { code: 'DSL_TIMEOUT', nodeId: 'n' });
  await thrownBy(() => run(throws(thrown)));
  expect(records).toMatchObject([{ status: 'timeout', failedNodeId: 'n', errorMessage: null }]);
});

test('failure: a caller may describe it itself', async () => {
  const { records, run } = observed();
  const describe = () => ({ status: 'limit' as const, errorCode: 'MINE', failedNodeId: 'n7' });
  await thrownBy(() => run(throws(new Error('x')), { describeFailure: describe }));
  expect(records).toMatchObject([{ status: 'limit', errorCode: 'MINE', failedNodeId: 'n7', errorMessage: 'x' }]);
});

test.each<[kind: string, describe: () => never]>([
  ['throws', throws(new Error('broken'))],
  ['says nothing', () => undefined as never],
  ['cannot be read', () => throwingGetter('status') as never],
])('failure: a description that %s changes nothing for the caller', async (_kind, describe) => {
  const { records, run } = observed();
  const error = new Error('the real one');
  expect((await thrownBy(() => run(throws(error), { describeFailure: describe }))).thrown).toBe(error);
  expect(records).toHaveLength(1);
  expect(records[0]?.status).not.toBe('ok');
});

test('describe: a node of the thrown value is named, and none is null', () => {
  expect(describeFailure(coded('X', { nodeId: 'n3' }))).toEqual({
    status: 'error',
    errorCode: 'X',
    failedNodeId: 'n3',
  });
  expect(describeFailure(5)).toEqual({ status: 'error', errorCode: 'DSL_UNEXPECTED', failedNodeId: null });
});

test('signal: a run that fails after its signal was aborted is cancelled', async () => {
  const { records, run } = observed();
  const error = new Error('socket closed');
  expect((await thrownBy(() => run(throws(error), { signal: AbortSignal.abort() }))).thrown).toBe(error);
  expect(records).toMatchObject([{ status: 'cancelled', errorCode: 'DSL_CANCELLED', errorMessage: 'socket closed' }]);
});

test.each<[kind: string, reason: unknown]>([
  ['text', 'gone'],
  ['an Error', new Error('user left')],
  ['a number', 5],
  ['a revoked proxy', revokedProxy()],
])('signal: aborted with %s for a reason, it is cancelled', async (_kind, reason) => {
  const { records, run } = observed();
  await thrownBy(() => run(throws(new Error('x')), { signal: AbortSignal.abort(reason) }));
  expect(records).toMatchObject([{ status: 'cancelled', errorCode: 'DSL_CANCELLED' }]);
});

test('signal: after AbortSignal.timeout it is a timeout, however the work puts it', async () => {
  const signal = AbortSignal.timeout(1);
  const works: [string, () => unknown][] = [
    ['the reason of the signal', () => sleep(60_000, null, { signal }).catch(() => signal.throwIfAborted())],
    ["Node's AbortError", () => sleep(60_000, null, { signal })],
    ['an error of its own', () => sleep(60_000, null, { signal }).catch(throws(new Error('socket closed')))],
  ];
  for (const [name, work] of works) {
    const { records, run } = observed();
    await thrownBy(() => run(work, { signal }));
    expect(records, name).toMatchObject([{ status: 'timeout' }]);
  }
});

test('signal: a run that ends well in spite of an aborted signal is ok', () => {
  const { records, run } = observed();
  run(() => 1, { signal: AbortSignal.abort() });
  expect(records).toMatchObject([{ status: 'ok' }]);
});

test('signal: one that is not aborted changes nothing', async () => {
  const { records, run } = observed();
  await thrownBy(() => run(throws(coded('DSL_X')), { signal: new AbortController().signal }));
  expect(records).toMatchObject([{ status: 'error', errorCode: 'DSL_X' }]);
});

test('signal: a limit that was exceeded stays one, aborted or not', async () => {
  const { records, run } = observed();
  await thrownBy(() => run(throws(coded('DSL_LIMIT_EXCEEDED')), { signal: AbortSignal.abort() }));
  expect(records).toMatchObject([{ status: 'limit' }]);
});

const brokenSink = { record: throws(new Error('sink is broken')) };

test('sink: one that throws changes nothing for ok work', async () => {
  expect(withExecution(brokenSink, subject, () => 5)).toBe(5);
  expect(await withExecution(brokenSink, subject, async () => 6)).toBe(6);
});

test('sink: one that throws changes nothing for failing work', async () => {
  const error = new Error('the real one');
  expect((await thrownBy(() => withExecution(brokenSink, subject, throws(error)))).thrown).toBe(error);
  expect((await thrownBy(() => withExecution(brokenSink, subject, () => Promise.reject(error)))).thrown).toBe(error);
});

test('run: a result that cannot be looked at is returned as it is, and recorded', () => {
  for (const [kind, result] of [...unreadableObjects(), ['a then that throws', throwingGetter('then')] as const]) {
    const { records, run } = observed();
    expect(run(() => result) === result, kind).toBe(true);
    expect(records, kind).toMatchObject([{ status: 'ok' }]);
  }
});

test('run: without a clock of its own it is timed by the one of the process', () => {
  const records: Execution[] = [];
  withExecution({ record: (execution) => records.push(execution) }, subject, () => 1);
  expect(records[0]?.durationMs).toBeGreaterThanOrEqual(0);
  expect(records[0]?.durationMs).toBeLessThan(60_000);
});

test('span: a run belongs to the one that is active when it begins, whoever reads its result to the end', async () => {
  startOpenTelemetry();
  const [own, readers] = [aSpan('1'), aSpan('2')];
  const { records, run } = observed();
  async function* stream() {
    yield await Promise.resolve(1);
  }
  const result = inSpan(own, () => run(stream));
  await inSpan(readers, async () => {
    for await (const _ of result);
  });
  expect(records).toMatchObject([{ status: 'ok', ...own }]);
});

test('span: a run that begins without one has none, also where it ends in one', async () => {
  startOpenTelemetry();
  const { records, run } = observed();
  const { promise, resolve } = Promise.withResolvers<void>();
  const ended = run(() => promise);
  inSpan(aSpan(), resolve);
  await ended;
  expect(records).toMatchObject([{ traceId: null }]);
  expect(records[0]).not.toHaveProperty('spanId');
});

test('span: the one that the caller names goes before the active one', () => {
  startOpenTelemetry();
  const records: Execution[] = [];
  const named = { ...subject, traceId: 'c'.repeat(32) };
  inSpan(aSpan(), () => withExecution({ record: (execution) => records.push(execution) }, named, () => 1));
  expect(records).toMatchObject([{ traceId: 'c'.repeat(32) }]);
  expect(records[0]).not.toHaveProperty('spanId');
});

test('span: without OpenTelemetry nothing is said of one', () => {
  const { records, run } = observed();
  run(() => 1);
  expect(records[0]).not.toHaveProperty('traceId');
});

test('span: a subject that cannot be read changes nothing for the work', () => {
  startOpenTelemetry();
  const unreadable = throwingGetter('traceId') as ExecutionSubject;
  expect(inSpan(aSpan(), () => withExecution({ record: () => undefined }, unreadable, () => 5))).toBe(5);
});
