import fc from 'fast-check';
import { expect, test } from 'vitest';
import { listExecutions } from '../../../queries/executions/list.ts';
import { UsageError } from '../../../shared/platform/errors.ts';
import { aroundNoon, atSecond, insertRuns, openLog, pagesOf, type RunRow } from '../../support/run-rows.ts';

test('executions of all strategies: pages together have each once, in the order of time and then of id', async () => {
  const { database, client } = await openLog();
  const anyRow = fc.record({
    // Few instants and few strategies, so that pages end between rows of the same time.
    second: fc.integer({ min: 0, max: 3 }),
    strategyId: fc.constantFrom('a', 'b', 'c', 'd'),
    status: fc.constantFrom('ok', 'error', 'timeout'),
  });
  const scenario = fc.record({
    rows: fc.array(anyRow, { maxLength: 20 }),
    limit: fc.integer({ min: 1, max: 6 }),
    status: fc.constantFrom(undefined, 'failed' as const),
  });
  await fc.assert(
    fc.asyncProperty(scenario, async ({ rows, limit, status }) => {
      await client.query('truncate strategy_execution_log');
      const ids = await insertRuns(
        client,
        rows.map(({ second, ...row }): RunRow => ({ ...row, at: atSecond(second) })),
      );
      const expected = rows
        .map((row, index) => ({ ...row, id: ids[index] ?? '' }))
        .filter((row) => status === undefined || row.status !== 'ok')
        .sort((a, b) => b.second - a.second || (a.id < b.id ? 1 : -1))
        .map(({ id }) => id);
      const read: string[] = [];
      const filter = status === undefined ? {} : { status };
      const all = { strategyId: null, window: aroundNoon, filter, limit };
      for await (const page of pagesOf(database, all)) read.push(...page);
      expect(read).toEqual(expected);
    }),
    { numRuns: 25 },
  );
});

test('executions of all strategies: more strategies than can be asked are told of, not left out', async () => {
  const { database, client } = await openLog();
  await insertRuns(
    client,
    Array.from({ length: 2_001 }, (_, n): RunRow => ({ strategyId: `s${n}`, status: n < 2_000 ? 'error' : 'ok' })),
  );
  const all = { strategyId: null, window: aroundNoon };
  await expect(listExecutions(database, all)).rejects.toThrow(UsageError);
  await expect(listExecutions(database, all)).rejects.toThrow(/^more than 2000 strategies .* name one/);
  const { executions } = await listExecutions(database, { ...all, filter: { status: 'failed' } });
  expect(executions).toHaveLength(50);
});
