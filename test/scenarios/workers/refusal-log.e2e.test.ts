import { expect, inject, test } from 'vitest';
import { anExecutionFleet, recordText, triggerSql } from '../../support/execution-fleet.ts';
import { until } from '../../support/fixtures.ts';
import { startSluice } from '../../support/fleet.ts';

/** A value that no line of a log may hold. */
const secret = 'tunafish';

/** A worker in a process of its own, and its log. */
async function aWorker(breakIt: string) {
  const fleet = await anExecutionFleet();
  await fleet.client.query(breakIt);
  const worker = await startSluice(['worker', 'execution-log'], {
    DATABASE_URL: fleet.databaseUrl,
    REDIS_URL: inject('redisUrl'),
    SLUICE_NAMESPACE: fleet.namespace,
    SLUICE_WORKER_PORT: '0',
    SLUICE_RETRY_BASE_MS: '5',
    SLUICE_RETRY_MAX_MS: '50',
    SLUICE_LOG_LEVEL: 'trace',
  });
  const lines = () => worker.stdout.map((line) => JSON.parse(line) as { msg: string; [field: string]: unknown });
  const lineOf = (message: RegExp) => until(() => lines().find(({ msg }) => message.test(msg)));
  return { ...fleet, worker, lineOf };
}

test('log: while every row is refused it says what the server said, and of what, and no value', async () => {
  const { add, worker, lineOf } = await aWorker('alter table strategy_execution_log add column must text not null');
  await add([recordText(1, { realmId: secret })]);
  expect(await lineOf(/refuses every row/)).toMatchObject({
    code: '23502',
    reason: expect.stringContaining('null value in column "must"'),
    schema: 'public',
    table: expect.stringContaining('strategy_execution_log'),
    column: 'must',
  });
  expect(worker.stdout.join('\n')).not.toContain(secret);
});

test('log: of an error that a trigger words itself it says the words, the function and no value', async () => {
  const { add, worker, lineOf, deadLetters, reasons, empty } = await aWorker(
    triggerSql(`if new.realm_id = '${secret}' then
      raise exception 'could not hash realm % of % points', new.realm_id, new.points using errcode = 'XX000'; end if;`),
  );
  await add([recordText(1), recordText(2, { realmId: secret, points: 47.110815 }), recordText(3)]);
  expect(await lineOf(/a statement fails while the database accepts others/)).toMatchObject({
    code: 'XX000',
    reason: expect.stringMatching(/^could not hash realm … of … /),
    function: 'odd_trigger()',
  });
  await empty();
  expect(await deadLetters()).toEqual([expect.stringMatching(/ XX000$/)]);
  expect(await reasons()).toEqual([expect.stringMatching(/^XX000: could not hash realm … .*odd_trigger\(\)/)]);
  expect(worker.stdout.join('\n')).not.toContain(secret);
  expect(worker.stdout.join('\n')).not.toContain('47.11');
});
