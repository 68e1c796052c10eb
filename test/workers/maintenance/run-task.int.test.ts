import { expect, test } from 'vitest';
import { loadConfig } from '../../../shared/platform/config/config.ts';
import { createDatabase } from '../../../shared/platform/postgres/database.ts';
import { createPartitionsTask } from '../../../workers/maintenance/partitions-task.ts';
import { type RunOptions, runTask } from '../../../workers/maintenance/run-task.ts';
import { connect } from '../../support/fixtures.ts';
import { maintenanceDeps } from '../../support/maintenance.ts';

async function setUp(overrides: Partial<RunOptions> = {}) {
  const { databaseUrl, deps, messages } = await maintenanceDeps();
  const { signal } = new AbortController();
  const options: RunOptions = {
    retry: { baseMs: 1, maxMs: 10 },
    logger: deps.logger,
    signal,
    waitsForDatabase: true,
    ...overrides,
  };
  return { databaseUrl, deps, options, messages };
}

test('run of a task: a table that is being read postpones it, instead of holding up inserts again and again', async () => {
  const { databaseUrl, deps, options, messages } = await setUp();
  const task = createPartitionsTask(deps);
  const reader = await connect(databaseUrl);
  await reader.query('begin');
  await reader.query('select from strategy_execution_log');
  expect(await runTask('partitions', task, options)).toEqual({
    outcome: 'postponed',
    report: expect.objectContaining({ created: [], postponed: expect.any(Array) }),
  });
  expect(messages()).toEqual([
    'partitions of the ledger created',
    'partitions could not be created now; trying again at the next check',
  ]);
  await reader.query('commit');
  expect(await runTask('partitions', task, options)).toMatchObject({ outcome: 'done', report: { blocked: [] } });
});

test('run of a task: what waiting cannot help fails at once, with what to do', async () => {
  const { databaseUrl, deps, options, messages } = await setUp();
  await (await connect(databaseUrl)).query('drop table strategy_execution_log');
  expect(await runTask('partitions', createPartitionsTask(deps), options)).toEqual({
    outcome: 'failed',
    reason: expect.stringMatching(/^42P01: .*sluice migrate/),
  });
  expect(messages()).toEqual(['partitions of the ledger created', 'task failed']);
});

test('run of a task: a database that is away is waited for until the signal, or not at all', async () => {
  const { deps, options } = await setUp();
  const nowhere = loadConfig({ DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none' }).database;
  const task = createPartitionsTask({ ...deps, database: createDatabase(nowhere, 'test') });
  expect(await runTask('partitions', task, { ...options, waitsForDatabase: false })).toMatchObject({
    outcome: 'failed',
  });

  const stop = new AbortController();
  const outages: boolean[] = [];
  const waiting = runTask('partitions', task, {
    ...options,
    signal: stop.signal,
    onOutage(begins) {
      outages.push(begins);
      if (outages.length === 5) stop.abort();
    },
  });
  expect(await waiting).toMatchObject({ outcome: 'interrupted' });
  expect([outages[0], outages.at(-1)]).toEqual([true, false]);
});
