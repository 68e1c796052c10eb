import { expect, test } from 'vitest';
import { inSnapshot } from '../../../queries/executions/snapshot.ts';
import { classifyDatabaseError } from '../../../shared/platform/postgres/database-errors.ts';
import { insertRuns, openLog } from '../../support/run-rows.ts';

const codeOf = (work: Promise<unknown>): Promise<string | null> =>
  work.then(
    () => 'no error',
    (error) => classifyDatabaseError(error).code,
  );

test('snapshot: all statements of an answer see the same rows', async () => {
  const { database, client } = await openLog();
  const counts = await inSnapshot(database, async (snapshot) => {
    const count = () =>
      snapshot.$queryRaw<{ n: number }[]>`select count(*)::int as n from sluice.strategy_execution_log`;
    const before = await count();
    await insertRuns(client, [{}]);
    return [...before, ...(await count())];
  });
  expect(counts).toEqual([{ n: 0 }, { n: 0 }]);
});

test('snapshot: a statement that takes too long is cancelled, and the next answer comes as ever', async () => {
  const { database } = await openLog();
  expect(await codeOf(inSnapshot(database, (snapshot) => snapshot.$queryRaw`select pg_sleep(30)::text`, 50))).toBe(
    '57014',
  );
  const [settings] = await database.$queryRaw<{ jit: string; work_mem: string }[]>`
    select current_setting('statement_timeout') as statement_timeout, current_setting('work_mem') as work_mem`;
  expect(settings).not.toMatchObject({ work_mem: '64MB' });
});

test('snapshot: an answer writes nothing', async () => {
  const { database } = await openLog();
  const writing = inSnapshot(
    database,
    (snapshot) => snapshot.$queryRaw`delete from sluice.strategy_execution_log returning id::text`,
  );
  expect(await codeOf(writing)).toBe('25006');
});
