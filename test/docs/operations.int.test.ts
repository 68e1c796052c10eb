import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { insertRuns, openLog } from '../console/repository/executions/run-rows.ts';

test('operations: the SQL that moves a day out of the DEFAULT partition does so', async () => {
  const text = await readFile('docs/operations.md', 'utf8');
  const sql = /```sql\n(.*?)```/s.exec(text)?.[1] ?? '';
  const { client } = await openLog();
  const [id] = await insertRuns(client, [
    { at: '2026-06-11T08:00:00Z', points: 40, caseName: 'A' },
    { at: '2026-06-10T23:59:59Z' },
  ]);
  await client.query(sql);
  const { rows } = await client.query('select id, points, outcome from strategy_execution_log_20260611');
  expect(rows).toEqual([{ id, points: 40, outcome: 'A' }]);
  const { rows: all } = await client.query('select count(*)::int as n from strategy_execution_log');
  expect(all).toEqual([{ n: 2 }]);
});
