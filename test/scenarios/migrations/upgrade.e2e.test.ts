import { readFileSync } from 'node:fs';
import { expect, inject, test } from 'vitest';
import { migrate } from '../../../prisma/migrate.ts';
import { readMigrations } from '../../../prisma/migration-files.ts';
import { loadConfig } from '../../../shared/platform/config/config.ts';
import { allOnce, settledAccounts, untilStoredMore } from '../../support/accounts.ts';
import { idOf, recordText } from '../../support/execution-fleet.ts';
import { connect, createEmptyDatabase, createNamespace, createTestDatabase, until } from '../../support/fixtures.ts';
import { startSluice } from '../../support/fleet.ts';
import { aBeginning, aCompletion } from '../../support/requests.ts';
import { startLoad } from '../../support/steady-load.ts';
import { startWorkerProcess } from '../../support/worker-process.ts';

// Nothing has been released yet, so the oldest that there is are the first builds. Their statements lie in fixtures, since a
// checkout need not have the history.
const statementOf = (name: string): string => readFileSync(new URL(`fixtures/${name}.sql`, import.meta.url), 'utf8');
const firstExecutions = statementOf('first-executions');
const firstRequests = statementOf('first-requests');
const firstDeadLetters = statementOf('first-dead-letters');

const known = await readMigrations();
const configOf = (url: string) => loadConfig({ DATABASE_URL: url }).database;

/** A database with the schema that the first build with dead letters had. */
async function createFirstDatabase(): Promise<string> {
  const databaseUrl = await createEmptyDatabase();
  await migrate(configOf(databaseUrl), { migrations: known.slice(0, 2) });
  return databaseUrl;
}

test("upgrade: today's schema takes what the workers of the first builds send, and a repeat has no effect", async () => {
  const client = await connect(await createTestDatabase());
  const executions = `[${recordText(1)},${recordText(2)}]`;
  expect((await client.query(firstExecutions, [executions])).rowCount).toBe(2);
  expect((await client.query(firstExecutions, [executions])).rowCount).toBe(0);

  const begun = aBeginning();
  const ended = aCompletion({ requestId: begun.requestId });
  const outcomes = async (records: object[]) =>
    (await client.query(firstRequests, [JSON.stringify(records)])).rows.map(({ outcome }) => outcome);
  expect(await outcomes([begun])).toEqual(['inserted']);
  expect(await outcomes([ended])).toEqual(['updated']);
  expect(await outcomes([ended])).toEqual(['duplicate']);

  const deadLetter = {
    queue: 'execution-log',
    recordKey: 'key',
    payload: '{}',
    code: '22P05',
    reason: 'r',
    signature: 's',
  };
  await client.query(firstDeadLetters, [JSON.stringify([deadLetter])]);
  await client.query(firstDeadLetters, [JSON.stringify([deadLetter])]);
  expect((await client.query('select attempts from dead_letter')).rows).toEqual([{ attempts: 2 }]);
});

test("upgrade: the first schema becomes today's under the first build's inserts and beside a long reader: none is lost, none is there twice, none waits for 5 s", async () => {
  const databaseUrl = await createFirstDatabase();
  const reader = await connect(databaseUrl);
  await reader.query(`insert into strategy_execution_log (id, recorded_at, strategy_id, strategy_version, strategy_type, status, duration_ms, nodes_executed, sampled, sample_rate)
    select gen_random_uuid(), now(), 'old', 1, 'DSL_FULL', 'ok', 1, 1, true, 1 from generate_series(1, 2000)`);

  let next = 0;
  let slowestMs = 0;
  let isStopped = false;
  const write = async (): Promise<void> => {
    const client = await connect(databaseUrl);
    while (!isStopped) {
      const batch = `[${Array.from({ length: 20 }, () => recordText(next++)).join(',')}]`;
      const begunAt = performance.now();
      await client.query(firstExecutions, [batch]);
      slowestMs = Math.max(slowestMs, performance.now() - begunAt);
    }
  };
  const writers = [write(), write()];

  await reader.query('begin; select count(*) from strategy_execution_log');
  const migrating = startSluice(['migrate', '--json'], { DATABASE_URL: databaseUrl });
  const { stderr, ended, stdout } = await migrating;
  await until(() => stderr.some((line) => line.includes('is waiting for a lock')));
  await reader.query('commit');
  expect(await ended).toBe(0);
  const writtenBefore = next;
  await until(() => next > writtenBefore + 100);
  isStopped = true;
  await Promise.all(writers);

  expect(JSON.parse(stdout.at(-1) ?? '').applied).toEqual(known.slice(2).map(({ name }) => name));
  const { rows } = await reader.query("select id from strategy_execution_log where strategy_id <> 'old' order by id");
  expect(rows.map(({ id }) => id)).toEqual(Array.from({ length: next }, (_, n) => idOf(n)));
  expect(slowestMs).toBeLessThan(5_000);
});

test("upgrade: today's workers that are started too early lose nothing while the schema becomes today's under them", async () => {
  const place = {
    databaseUrl: await createFirstDatabase(),
    redisUrl: inject('redisUrl'),
    namespace: createNamespace(),
  };
  const load = startLoad(place, { perSecond: 500 });
  await startWorkerProcess(place, { SLUICE_JOB_DELAY_MS: '500' });
  const { ended } = await startSluice(['migrate'], { DATABASE_URL: place.databaseUrl });
  expect(await ended).toBe(0);
  await untilStoredMore(place.databaseUrl, 500);
  await load.stop();
  expect(await settledAccounts(place, load.names)).toEqual(allOnce(load.names));
});
