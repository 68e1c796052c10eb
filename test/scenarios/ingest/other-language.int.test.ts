import { expect, test } from 'vitest';
import { anExecutionFleet, idOf, recordText, triggerSql } from '../../support/execution-fleet.ts';
import { untilBlocked } from '../../support/fixtures.ts';
import { startGermanPostgres } from '../../support/german-postgres.ts';

const dayMs = 86_400_000;

test('other language: a record whose partition is attached between the choice of its place and the insert is no dead letter', async () => {
  const { databaseUrl, client, add, start, ids, deadLetters, empty } = await anExecutionFleet(
    {},
    await startGermanPostgres(),
  );
  await start();
  const day = new Date(Math.floor(Date.now() / dayMs + 5) * dayMs);
  const next = new Date(day.getTime() + dayMs);
  await client.query(`create table coming (like strategy_execution_log including all)`);
  await client.query('begin');
  await client.query(
    `alter table strategy_execution_log attach partition coming for values from ('${day.toISOString()}') to ('${next.toISOString()}')`,
  );
  await add([recordText(1, { recordedAt: new Date(day.getTime() + 1_000) })]);
  await untilBlocked(databaseUrl);
  await client.query('commit');
  await empty();
  expect([await ids(), await deadLetters()]).toEqual([[idOf(1)], []]);
  expect((await client.query('select from coming')).rowCount).toBe(1);
});

test('other language: of a record that is refused the dead letter says what the server said, and of what, and no value', async () => {
  const { client, add, start, deadLetters, reasons, empty } = await anExecutionFleet({}, await startGermanPostgres());
  await client.query(triggerSql("if new.realm_id = 'odd' then perform new.external_user_id::int; end if;"));
  await start();
  await add([
    recordText(1, { realmId: 'odd', externalUserId: 'tunafish' }),
    recordText(2, { realmId: 'odd', externalUserId: '7' }),
  ]);
  await empty();
  expect(await deadLetters()).toEqual([`${idOf(1)} 22P02`]);
  expect(await reasons()).toEqual(['22P02: ungültige Eingabesyntax für Typ integer: "…" [function odd_trigger()]']);
});
