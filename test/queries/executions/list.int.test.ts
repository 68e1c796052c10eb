import fc from 'fast-check';
import { expect, test } from 'vitest';
import { listExecutions } from '../../../queries/executions/list.ts';
import { findExecution } from '../../../queries/executions/one.ts';
import { UsageError } from '../../../shared/platform/errors.ts';
import { aroundNoon, atSecond, insertRuns, noon, openLog, pagesOf, type RunRow } from '../../support/run-rows.ts';

const s1 = { strategyId: 's1', window: aroundNoon };

test('execution list: pages together have each once and in order, whatever arrives before what was read', async () => {
  const { database, client } = await openLog();
  const anyRow = fc.record({
    // Few instants, so that many rows have the same.
    second: fc.integer({ min: 0, max: 3 }),
    status: fc.constantFrom('ok', 'error', 'timeout', 'limit', 'cancelled'),
  });
  const scenario = fc.record({
    rows: fc.array(anyRow, { maxLength: 25 }),
    limit: fc.integer({ min: 1, max: 8 }),
    status: fc.constantFrom(undefined, 'failed' as const, 'ok' as const, 'timeout' as const),
  });
  await fc.assert(
    fc.asyncProperty(scenario, async ({ rows, limit, status }) => {
      await client.query('truncate strategy_execution_log');
      const ids = await insertRuns(
        client,
        rows.map((row): RunRow => ({ at: atSecond(row.second), status: row.status })),
      );
      const expected = rows
        .map((row, index) => ({ ...row, id: ids[index] ?? '' }))
        .filter((row) => status === undefined || (status === 'failed' ? row.status !== 'ok' : row.status === status))
        .sort((a, b) => b.second - a.second || (a.id < b.id ? 1 : -1))
        .map(({ id }) => id);
      const read: string[] = [];
      const filter = status === undefined ? {} : { status };
      for await (const page of pagesOf(database, { ...s1, filter, limit })) {
        read.push(...page);
        await insertRuns(client, [{ at: atSecond(4), status: status === 'timeout' ? 'timeout' : 'error' }]);
      }
      expect(read).toEqual(expected);
    }),
    { numRuns: 40 },
  );
});

test('execution list: each filter alone and all together', async () => {
  const { database, client } = await openLog();
  const wanted: RunRow = { status: 'error', errorCode: 'E', caseName: 'C', points: 5, realmId: 'r', userId: 'u' };
  const [id] = await insertRuns(client, [
    wanted,
    { ...wanted, status: 'limit' },
    { ...wanted, errorCode: 'F' },
    { ...wanted, caseName: null },
    { ...wanted, realmId: 'other' },
    { ...wanted, userId: 'other' },
    { ...wanted, points: 0.1 },
    { ...wanted, strategyId: 's2' },
    { ...wanted, at: aroundNoon.until },
  ]);
  const count = async (filter: object) => (await listExecutions(database, { ...s1, filter })).executions.length;
  expect(await count({})).toBe(7);
  expect(await count({ status: 'limit' })).toBe(1);
  expect(await count({ errorCode: 'F' })).toBe(1);
  expect(await count({ caseName: 'C' })).toBe(6);
  expect(await count({ caseName: null })).toBe(1);
  expect(await count({ realmId: 'other' })).toBe(1);
  expect(await count({ externalUserId: 'other' })).toBe(1);
  expect([await count({ points: 0.1 }), await count({ points: 0 }), await count({ points: 40 })]).toEqual([1, 0, 0]);
  const all = { status: 'error', errorCode: 'E', caseName: 'C', points: 5, realmId: 'r', externalUserId: 'u' } as const;
  const { executions } = await listExecutions(database, { ...s1, filter: all });
  expect(executions.map((execution) => execution.id)).toEqual([id]);
});

test('execution list: 1 to 200 in a page, 50 when nothing is said', async () => {
  const { database, client } = await openLog();
  await insertRuns(client, new Array(201).fill({}));
  const pageOf = async (limit?: number) =>
    (await listExecutions(database, limit === undefined ? s1 : { ...s1, limit })).executions.length;
  expect([await pageOf(), await pageOf(1), await pageOf(200)]).toEqual([50, 1, 200]);
  for (const limit of [0, 201, 1.5, Number.NaN]) await expect(pageOf(limit)).rejects.toThrow(UsageError);
  await expect(listExecutions(database, { ...s1, cursor: 'x' })).rejects.toThrow(UsageError);
});

test('execution list: values that are no numbers are null', async () => {
  const { database, client } = await openLog();
  await insertRuns(client, [{ points: 'NaN', durationMs: 'Infinity' }]);
  const { executions } = await listExecutions(database, s1);
  expect(executions).toMatchObject([{ points: null, durationMs: null }]);
});

test('one execution: has its trace', async () => {
  const { database, client } = await openLog();
  const trace = [{ nodeId: 'n1', type: 'rule', value: true }];
  const [id = ''] = await insertRuns(client, [{ trace, caseName: 'A', points: 2 }, {}]);
  expect(await findExecution(database, id)).toMatchObject({
    id,
    recordedAt: new Date(noon),
    strategyId: 's1',
    caseName: 'A',
    points: 2,
    trace,
    input: null,
  });
});

test('one execution: an id that nobody has, or that is none, finds nothing', async () => {
  const { database } = await openLog();
  expect(await findExecution(database, '0197c2f0-7a4b-7c3d-9e1f-3b2a1c0d9e8f')).toBeNull();
  expect(await findExecution(database, "'; drop table x")).toBeNull();
});
