import { expect, test } from 'vitest';
import { toExecutionRecord } from '../../../producers/executions/execution-record.ts';
import { jobName } from '../../../shared/contracts/queues.ts';
import { anExecution } from '../../support/execution.ts';
import { connect, createNamespace, createTestDatabase, openQueue, until } from '../../support/fixtures.ts';
import { startWorker } from '../../support/worker.ts';

const dayMs = 86_400_000;

test('passing refusal: a record of a day whose partition is being made is delayed and no dead letter, and those beside it are stored', async () => {
  const databaseUrl = await createTestDatabase();
  const client = await connect(databaseUrl);
  const namespace = createNamespace();
  const queue = openQueue(namespace);
  const worker = await startWorker(databaseUrl, namespace, { SLUICE_JOB_DELAY_MS: '300' });
  const until5 = new Date(Date.now() + 5 * dayMs).toISOString();
  await client.query(
    `alter table strategy_execution_log_default add constraint sluice_passing_days_to_come check (recorded_at >= '${until5}') not valid`,
  );
  const context = { nowMs: Date.now(), sampleRate: 1, traceLimit: 200, maxBytes: 65_536 };
  const recordAt = (ms: number) => JSON.parse(toExecutionRecord(anExecution({ recordedAt: ms }), context).json);
  const records = [recordAt(Date.now()), recordAt(Date.now() + 3 * dayMs), recordAt(Date.now())];
  await queue.add(jobName, { v: 1, producer: 'test', epoch: 1, seq: 1, records });
  await until(async () => (await worker.metric('sluice_jobs_total', { outcome: 'retry_later' })) >= 2);
  const count = async (table: string) => (await client.query(`select from ${table}`)).rowCount;
  expect(await count('strategy_execution_log')).toBe(2);

  await client.query('alter table strategy_execution_log_default drop constraint sluice_passing_days_to_come');
  await until(async () => (await worker.metric('sluice_jobs_total', { outcome: 'completed' })) === 1);
  expect([await count('strategy_execution_log'), await count('dead_letter')]).toEqual([3, 0]);
});
