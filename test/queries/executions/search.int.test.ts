import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type ContentTexts, parseContent } from '../../../queries/executions/content.ts';
import { requireStrategy, searchExecutions } from '../../../queries/executions/search.ts';
import { UsageError } from '../../../shared/platform/errors.ts';
import { aroundNoon, atSecond, insertRuns, openLog, type RunRow } from '../../support/run-rows.ts';

const s1 = { strategyId: 's1', window: aroundNoon };

/** The content that texts ask for. */
function contentOf(texts: ContentTexts) {
  const content = parseContent(texts);
  if (content === null) throw new TypeError('it asks for nothing');
  return content;
}

test('execution search: runs in which a node gave a value, compared with its own kind', async () => {
  const { database, client } = await openLog();
  const entry = (value: unknown, nodeId = 'n1') => ({ nodeId, type: 'compare', value });
  const rows: RunRow[] = [
    { trace: [entry(1, 'n0'), entry(10)] },
    { trace: [entry(10, 'n0'), entry(9.5)] },
    { trace: [entry('10')] },
    { trace: [entry(true)] },
    { trace: [entry(null)] },
    { trace: [entry({ a: 10 })] },
    { trace: [{ nodeId: 'n1', type: 'compare' }] },
    { trace: [entry(3), entry(10)] },
    { trace: null },
    { trace: [] },
    { strategyId: 's2', trace: [entry(10)] },
  ];
  const ids = await insertRuns(
    client,
    rows.map((row, second) => ({ at: atSecond(-second), ...row })),
  );
  const search = async (texts: ContentTexts) =>
    (await searchExecutions(database, { ...s1, content: contentOf(texts) })).executions.map(({ id }) =>
      ids.indexOf(id),
    );
  expect(await search({ node: 'n1' })).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(await search({ node: 'n1', gave: '10' })).toEqual([0, 7]);
  expect(await search({ node: 'n1', gave: '10.0' })).toEqual([0, 7]);
  expect(await search({ node: 'n1', gave: '"10"' })).toEqual([2]);
  expect(await search({ node: 'n1', gave: '< 10' })).toEqual([1, 7]);
  expect(await search({ node: 'n1', gave: '>= 9.5' })).toEqual([0, 1, 7]);
  expect(await search({ node: 'n1', gave: 'true' })).toEqual([3]);
  expect(await search({ node: 'n1', gave: 'null' })).toEqual([4]);
  expect(await search({ node: 'n1', gave: '!= 10' })).toEqual(expect.arrayContaining([1, 7]));
  expect(await search({ node: 'n0', gave: '10' })).toEqual([1]);
  // Nothing that is written becomes a part of a path.
  for (const hostile of ['n1" || true || "', '$', '*', '") || exists(@', "' or true --"]) {
    expect(await search({ node: hostile })).toEqual([]);
    expect(await search({ node: 'n1', gave: JSON.stringify(hostile) })).toEqual([]);
    expect(await search({ input: `/${hostile.replaceAll(/[=!<>]/g, '')}` })).toEqual([]);
  }
});

test('execution search: runs with a field of their input, and both together', async () => {
  const { database, client } = await openLog();
  const inputs = [
    { user: { streak: 4, name: 'Ada' }, tags: ['x', 'y'], 'a.b': 1 },
    { user: { streak: 3 }, tags: [] },
    { user: null },
    null,
  ];
  const ids = await insertRuns(
    client,
    inputs.map((_, second) => ({ at: atSecond(-second), trace: [{ nodeId: 'n', value: second }] })),
  );
  for (const [index, id] of ids.entries())
    await client.query('update strategy_execution_log set input = $1 where id = $2', [
      JSON.stringify(inputs[index]),
      id,
    ]);
  const search = async (texts: ContentTexts) =>
    (await searchExecutions(database, { ...s1, content: contentOf(texts) })).executions.map(({ id }) =>
      ids.indexOf(id),
    );
  expect(await search({ input: 'user.streak >= 4' })).toEqual([0]);
  expect(await search({ input: 'user.streak > 2' })).toEqual([0, 1]);
  expect(await search({ input: 'user.name = Ada' })).toEqual([0]);
  expect(await search({ input: 'user.name != Bob' })).toEqual([0]);
  expect(await search({ input: 'user' })).toEqual([0, 1, 2]);
  expect(await search({ input: 'user = null' })).toEqual([2]);
  expect(await search({ input: 'tags.1 = y' })).toEqual([0]);
  expect(await search({ input: '/a.b = 1' })).toEqual([0]);
  expect(await search({ input: 'a.b = 1' })).toEqual([]);
  expect(await search({ input: 'user.streak > 2', node: 'n', gave: '1' })).toEqual([1]);
});

test('execution search: pages together have each match once and in order, whatever an answer may read', async () => {
  const { database, client } = await openLog();
  const scenario = fc.record({
    // Days apart too, so that several windows are read.
    rows: fc.array(
      fc.record({ second: fc.constantFrom(0, 1, 2, -30 * 3_600, -12 * 86_400), has: fc.boolean(), ok: fc.boolean() }),
      { maxLength: 20 },
    ),
    limit: fc.integer({ min: 1, max: 5 }),
    most: fc.record({ executions: fc.integer({ min: 1, max: 7 }), bytes: fc.integer({ min: 1, max: 400 }) }),
  });
  await fc.assert(
    fc.asyncProperty(scenario, async ({ rows, limit, most }) => {
      await client.query('truncate strategy_execution_log');
      const ids = await insertRuns(
        client,
        rows.map(({ second, has, ok }) => ({
          at: atSecond(second),
          status: ok ? 'ok' : 'error',
          trace: [{ nodeId: 'n', value: has ? 'needle' : 'hay' }],
        })),
      );
      const expected = rows
        .map((row, index) => ({ ...row, id: ids[index] ?? '' }))
        .filter(({ has, ok }) => has && !ok)
        .sort((a, b) => b.second - a.second || (a.id < b.id ? 1 : -1))
        .map(({ id }) => id);
      const read: string[] = [];
      let searched = 0;
      let cursor: string | null = null;
      do {
        const page: Awaited<ReturnType<typeof searchExecutions>> = await searchExecutions(database, {
          strategyId: 's1',
          window: { since: null, until: aroundNoon.until },
          filter: { status: 'failed' },
          content: contentOf({ node: 'n', gave: 'needle' }),
          limit,
          cursor,
          most,
        });
        expect(page.executions.length).toBeLessThanOrEqual(limit);
        expect(page.searched.executions).toBeLessThanOrEqual(most.executions);
        read.push(...page.executions.map(({ id }) => id));
        searched += page.searched.executions;
        cursor = page.cursor;
      } while (cursor !== null);
      expect(read).toEqual(expected);
      expect(searched).toBe(rows.filter(({ ok }) => !ok).length);
    }),
    { numRuns: 40 },
  );
});

test('execution search: what cannot be searched is refused', async () => {
  const { database } = await openLog();
  const content = contentOf({ node: 'n' });
  await expect(searchExecutions(database, { ...s1, content, limit: 201 })).rejects.toThrow(UsageError);
  await expect(searchExecutions(database, { ...s1, content, cursor: 'x' })).rejects.toThrow(UsageError);
  expect(() => requireStrategy(null)).toThrow(UsageError);
});
