import { expect, test } from 'vitest';
import { executionLogQueue } from '../../../workers/execution-log/queue.ts';
import type { QueueDefinition, StoreResult } from '../../../workers/ingest/queue-definition.ts';
import { createRecordRole } from '../../../workers/ingest/record-role.ts';
import { anExecutionFleet, idOf, recordText } from '../../support/execution-fleet.ts';
import { startRole } from '../../support/worker.ts';

/** Executions of which the statement, or COPY, tells an outcome that no counter takes, for its first record. */
function odd(way: 'copy' | 'statement') {
  let statements = 0;
  const told = (result: StoreResult): StoreResult => {
    statements += 1;
    return statements === 1 ? { ...result, outcomes: { ...result.outcomes, duplicate: -1 } } : result;
  };
  const definition: QueueDefinition = {
    ...executionLogQueue,
    copy: {
      read: way === 'copy' ? executionLogQueue.copy.read : () => null,
      async store(database, rows) {
        const result = await executionLogQueue.copy.store(database, rows);
        return result && told(result);
      },
    },
    async store(door, json, records) {
      const result = await executionLogQueue.store(door, json, records);
      // What is stored to try the database out has ids of its own.
      return json.includes(idOf(1)) || json.includes(idOf(2)) ? told(result) : result;
    },
  };
  return { definition, statements: () => statements };
}

test.each(['copy' as const, 'statement' as const])(
  'metrics: a number that they refuse has no batch repeated that is committed, and the worker goes on, by %s',
  async (way) => {
    const { databaseUrl, namespace, add, ids, empty } = await anExecutionFleet();
    const { definition, statements } = odd(way);
    const worker = await startRole((deps) => createRecordRole(definition, deps), databaseUrl, namespace);
    await add([recordText(1)]);
    await empty();
    await add([recordText(2)]);
    await empty();
    expect(await ids()).toEqual([idOf(1), idOf(2)]);
    expect(statements()).toBe(2);
    expect(await worker.metric('sluice_database_outage', {})).toBe(0);
    expect(await worker.metric('sluice_statement_retries_total', {})).toBe(0);
    expect(await worker.metric('sluice_records_total', { outcome: 'stored' })).toBe(2);
  },
);
