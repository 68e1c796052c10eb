import { expect, test } from 'vitest';
import { anExecutionFleet, idOf, recordText, triggerSql } from '../../support/execution-fleet.ts';
import { changeBesideWorkers, until } from '../../support/fixtures.ts';

/** An error that one record brings about again and again, whatever its code, costs that record alone. */

const numbers = (count: number, from = 0): number[] => Array.from({ length: count }, (_, n) => from + n);

test.each([
  ['XX000', `raise exception 'internal trouble' using errcode = 'XX000';`],
  ['XX001', `raise exception 'invalid page' using errcode = 'XX001';`],
  ['XX002', `raise exception 'damaged index' using errcode = 'XX002';`],
  ['ZZ001', `raise exception 'nobody knows this' using errcode = 'ZZ001';`],
  ['42883', `perform no_such_function(new.id);`],
  ['42501', `raise exception 'not you' using errcode = '42501';`],
  ['0A000', `raise exception 'not supported' using errcode = '0A000';`],
  ['58030', `raise exception 'bad sector' using errcode = '58030';`],
  ['26000', `raise exception 'no such statement' using errcode = '26000';`],
  ['08006', `raise exception 'connection failure' using errcode = '08006';`],
  ['38000', `raise exception 'external' using errcode = '38000';`],
  ['F0000', `raise exception 'config' using errcode = 'F0000';`],
  ['HV000', `raise exception 'foreign' using errcode = 'HV000';`],
  ['25006', `raise exception 'read only' using errcode = '25006';`],
  ['P0001', `raise exception 'refused';`],
])(
  'own fault: of a record that alone meets %s every other one is stored, and it is a dead letter',
  async (code, sql) => {
    const { client, queue, add, start, ids, deadLetters, empty } = await anExecutionFleet();
    await client.query(triggerSql(`if new.id = '${idOf(3)}' then ${sql} end if;`));
    await add(
      numbers(10).map((n) => recordText(n)),
      numbers(10, 10).map((n) => recordText(n)),
    );
    const worker = await start();
    await empty();
    expect(await ids()).toEqual(
      numbers(20)
        .filter((n) => n !== 3)
        .map(idOf),
    );
    expect(await deadLetters()).toEqual([`${idOf(3)} ${code}`]);
    expect(await queue.getFailedCount()).toBe(0);
    expect(await worker.metric('sluice_records_total', { outcome: 'dead' })).toBe(1);
    expect(await worker.metric('sluice_database_outage', {})).toBe(0);
  },
);

test('own fault: of a record that kills each connection that it comes through every other one is stored', async () => {
  const { client, add, start, ids, deadLetters, empty } = await anExecutionFleet();
  await client.query(
    triggerSql(
      `if new.id = '${idOf(3)}' then perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(1); end if;`,
    ),
  );
  await add(
    numbers(10).map((n) => recordText(n)),
    numbers(10, 10).map((n) => recordText(n)),
  );
  await start();
  await empty();
  expect(await ids()).toEqual(
    numbers(20)
      .filter((n) => n !== 3)
      .map(idOf),
  );
  expect(await deadLetters()).toEqual([`${idOf(3)} 57P01`]);
});

test.each(['53100', '53000', '53400', '40001', '40P01', '55P03', '57014'])(
  'own fault: %s is no fault of a record: it is delayed until it goes through, and all others are stored',
  async (code) => {
    const { client, add, start, ids, deadLetters, empty } = await anExecutionFleet();
    await client.query(
      triggerSql(`if new.id = '${idOf(3)}' then raise exception 'no room' using errcode = '${code}'; end if;`),
    );
    await add(
      numbers(10).map((n) => recordText(n)),
      numbers(10, 10).map((n) => recordText(n)),
    );
    const worker = await start();
    await until(async () => (await worker.metric('sluice_jobs_total', { outcome: 'retry_later' })) >= 2);
    expect(await ids()).toEqual(
      numbers(20)
        .filter((n) => n !== 3)
        .map(idOf),
    );
    await changeBesideWorkers(client, 'drop trigger odd on strategy_execution_log');
    await empty();
    expect(await ids()).toEqual(numbers(20).map(idOf));
    expect(await deadLetters()).toEqual([]);
  },
);

test('own fault: other batches go on while one is taken apart', async () => {
  const { client, add, start, ids, deadLetters, empty } = await anExecutionFleet({
    SLUICE_RETRY_BASE_MS: '2000',
    SLUICE_RETRY_MAX_MS: '2000',
  });
  await client.query(triggerSql(`if new.id = '${idOf(3)}' then raise exception 'x' using errcode = 'XX000'; end if;`));
  const worker = await start();
  await add([recordText(3)]);
  await until(async () => (await worker.metric('sluice_statement_retries_total', { code: 'XX000' })) >= 1);
  await add(numbers(10, 10).map((n) => recordText(n)));
  await until(async () => (await ids()).length === 10);
  expect(await deadLetters()).toEqual([]);
  await empty();
  expect(await deadLetters()).toEqual([`${idOf(3)} XX000`]);
});

test.each([
  [
    'XX000 for every record',
    triggerSql(`raise exception 'x' using errcode = 'XX000';`),
    'drop trigger odd on strategy_execution_log',
  ],
  [
    'an unknown code for every record',
    triggerSql(`raise exception 'x' using errcode = 'ZZ001';`, 'statement'),
    'drop trigger odd on strategy_execution_log',
  ],
  [
    'a column that nobody fills',
    'alter table strategy_execution_log add column must text not null',
    'alter table strategy_execution_log drop column must',
  ],
  [
    'a check that nothing passes',
    'alter table strategy_execution_log add constraint never check (false) not valid',
    'alter table strategy_execution_log drop constraint never',
  ],
])('own fault: %s is nobody’s: nothing dies, and all is stored when it is mended', async (_what, breakIt, mendIt) => {
  const { client, queue, add, start, ids, deadLetters, empty } = await anExecutionFleet();
  await client.query(breakIt);
  await add(...numbers(3).map((n) => [recordText(n), recordText(n + 10)]));
  const worker = await start();
  await until(async () => (await worker.metric('sluice_statement_retries_total', {})) >= 8);
  await until(async () => (await worker.metric('sluice_database_outage', {})) === 1);
  expect(await deadLetters()).toEqual([]);
  await changeBesideWorkers(client, mendIt);
  await empty();
  expect(await ids()).toEqual([0, 1, 2, 10, 11, 12].map(idOf));
  expect(await deadLetters()).toEqual([]);
  expect(await queue.getFailedCount()).toBe(0);
});
