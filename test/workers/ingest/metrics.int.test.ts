import { expect, test } from 'vitest';
import { executionLogQueue } from '../../../workers/execution-log/queue.ts';
import { createRecordRole } from '../../../workers/ingest/record-role.ts';
import { anExecutionFleet, idOf, recordText } from '../../support/execution-fleet.ts';
import { startRole } from '../../support/worker.ts';

test('metrics: a number that they refuse has no batch repeated that is committed, and the worker goes on', async () => {
  const { databaseUrl, namespace, add, ids, empty } = await anExecutionFleet();
  let statements = 0;
  const worker = await startRole(
    (deps) =>
      createRecordRole(
        {
          ...executionLogQueue,
          async store(door, json, records) {
            const stored = await executionLogQueue.store(door, json, records);
            // What is stored to try the database out has ids of its own.
            if (!json.includes(idOf(1)) && !json.includes(idOf(2))) return stored;
            statements += 1;
            return json.includes(idOf(1)) ? { ...stored, outcomes: { ...stored.outcomes, duplicate: -1 } } : stored;
          },
        },
        deps,
      ),
    databaseUrl,
    namespace,
  );
  await add([recordText(1)]);
  await empty();
  await add([recordText(2)]);
  await empty();
  expect(await ids()).toEqual([idOf(1), idOf(2)]);
  expect(statements).toBe(2);
  expect(await worker.metric('sluice_database_outage', {})).toBe(0);
  expect(await worker.metric('sluice_statement_retries_total', {})).toBe(0);
  expect(await worker.metric('sluice_records_total', { outcome: 'stored' })).toBe(2);
});
