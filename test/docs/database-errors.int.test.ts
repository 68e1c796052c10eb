import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { runTask } from '../../workers/maintenance/run-task.ts';
import { createTasks } from '../../workers/maintenance/tasks.ts';
import { aConsole } from '../support/a-console.ts';
import { anExecutionFleet, idOf, recordText, triggerSql } from '../support/execution-fleet.ts';
import { changeBesideWorkers, until } from '../support/fixtures.ts';
import { maintenanceDeps } from '../support/maintenance.ts';
import { insertDeadLetter } from '../support/seed-console.ts';

/** What the table of docs/operations.md says of each code is what happens. */
const text = await readFile('docs/operations.md', 'utf8');
const rows = [
  ...text.matchAll(
    /^\| `([0-9A-Z]{5})`.*\| (waits|delayed) \| (delayed|dead letter) \| (\d{3}) \| (waits|failed) \|$/gm,
  ),
].map(([, code = '', everyStatement = '', oneRecord = '', console = '', maintenance = '']) => ({
  code,
  everyStatement,
  oneRecord,
  console,
  maintenance,
}));

test('database errors: the page has a table of them', () => {
  expect(rows.map(({ code }) => code)).toEqual(expect.arrayContaining(['53100', '53200', '53300', '54000', '25006']));
});

test.each(rows)('database errors: $code of one record alone, a worker: $oneRecord', async ({ code, oneRecord }) => {
  const { client, add, start, ids, deadLetters, empty } = await anExecutionFleet();
  await client.query(
    triggerSql(`if new.id = '${idOf(3)}' then raise exception 'x' using errcode = '${code}'; end if;`),
  );
  await add([1, 2, 3, 4].map((n) => recordText(n)));
  const worker = await start();
  if (oneRecord === 'delayed') {
    await until(async () => (await worker.metric('sluice_jobs_total', { outcome: 'retry_later' })) >= 1);
    expect(await deadLetters()).toEqual([]);
    await changeBesideWorkers(client, 'drop trigger odd on strategy_execution_log');
  }
  await empty();
  expect(await deadLetters()).toEqual(oneRecord === 'delayed' ? [] : [`${idOf(3)} ${code}`]);
  expect(await ids()).toEqual((oneRecord === 'delayed' ? [1, 2, 3, 4] : [1, 2, 4]).map(idOf));
});

test.each(rows)(
  'database errors: $code of every statement, a worker: $everyStatement',
  async ({ code, everyStatement }) => {
    const { client, queue, add, start, ids, deadLetters, empty } = await anExecutionFleet();
    await client.query(triggerSql(`raise exception 'x' using errcode = '${code}';`, 'statement'));
    await add([recordText(1)], [recordText(2)]);
    const worker = await start();
    await until(async () => (await worker.metric('sluice_statement_retries_total', { code })) >= 1);
    if (everyStatement === 'waits') await until(async () => (await worker.metric('sluice_database_outage', {})) === 1);
    else await until(async () => (await worker.metric('sluice_jobs_total', { outcome: 'retry_later' })) >= 2);
    await changeBesideWorkers(client, 'drop trigger odd on strategy_execution_log');
    await empty();
    expect(await ids()).toEqual([1, 2].map(idOf));
    expect([await deadLetters(), await queue.getFailedCount()]).toEqual([[], 0]);
  },
);

test.each(rows)('database errors: $code, a write of the console: $console; maintenance: $maintenance', async (row) => {
  const { ask, get, client, databaseUrl } = await aConsole();
  const deadLetterId = await insertDeadLetter(client);
  await insertDeadLetter(client, { state: 'stored', state_since: new Date(0), first_seen: new Date(0) });
  await client.query(`
    create function odd_change() returns trigger language plpgsql as $$ begin raise exception 'x' using errcode = '${row.code}'; end $$;
    create trigger odd before update or delete on dead_letter for each statement execute function odd_change();`);
  const written = await ask('POST', '/api/v1/dead-letters/discard', { body: { ids: [deadLetterId] } });
  expect(written.status).toBe(Number(row.console));
  expect((await get('/api/v1/dead-letters')).status).toBe(200);

  const { deps } = await maintenanceDeps({ SLUICE_RETENTION_DEAD_LETTER_DAYS: '1' }, databaseUrl);
  const mend = (): void => void client.query('drop trigger odd on dead_letter');
  const told: boolean[] = [];
  const { outcome } = await runTask('purge', createTasks(deps).purge, {
    retry: deps.config.retry,
    logger: deps.logger,
    signal: new AbortController().signal,
    waitsForDatabase: true,
    onOutage(begins) {
      if (begins && told.push(begins) === 1) mend();
    },
  });
  expect(outcome).toBe(row.maintenance === 'waits' ? 'done' : 'failed');
  expect(told.length > 0).toBe(row.maintenance === 'waits');
});
