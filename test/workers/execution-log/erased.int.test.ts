import { expect, onTestFinished, test } from 'vitest';
import { storeDeadLetters, toDeadLetter } from '../../../dead-letters/store.ts';
import { hashOfId } from '../../../shared/contracts/erasure-subject.ts';
import { loadConfig } from '../../../shared/platform/config/config.ts';
import { createDatabase } from '../../../shared/platform/postgres/database.ts';
import { insertExecutions } from '../../../workers/execution-log/store.ts';
import { idOf, recordText } from '../../support/execution-fleet.ts';
import { connect, createTestDatabase, untilBlocked } from '../../support/fixtures.ts';

const nowMs = Date.now();
const before = new Date(nowMs);
const after = new Date(nowMs + 1);

async function aStore() {
  const databaseUrl = await createTestDatabase();
  const database = createDatabase(loadConfig({ DATABASE_URL: databaseUrl }).database, 'test');
  onTestFinished(() => database.$disconnect());
  const client = await connect(databaseUrl);
  return {
    databaseUrl,
    database,
    client,
    note: (kind: 'user' | 'realm', id: string) =>
      client.query(
        `insert into subject_erasure (kind, subject_hash, erased_before) values ($1, decode($2, 'hex'), $3)`,
        [kind, hashOfId(id), before],
      ),
    store: async (...records: string[]) =>
      (await insertExecutions(database, `[${records.join(',')}]`, records.length)).outcomes,
    ids: async () =>
      (await client.query('select id from strategy_execution_log order by id')).rows.map(({ id }) => id as string),
  };
}

test('tombstone: of a user who was erased nothing is stored that was made until then, all else is', async () => {
  const { note, store, ids } = await aStore();
  await note('user', 'gone');
  const records = [
    recordText(1, { externalUserId: 'gone', recordedAt: before }),
    recordText(2, { externalUserId: 'gone', recordedAt: after }),
    recordText(3, { externalUserId: 'stays', recordedAt: before }),
    recordText(4, { externalUserId: null, realmId: 'gone', recordedAt: before }),
  ];
  expect(await store(...records)).toEqual({ stored: 3, duplicate: 0, tombstoned: 1 });
  expect(await store(...records)).toEqual({ stored: 0, duplicate: 3, tombstoned: 1 });
  expect(await ids()).toEqual([idOf(2), idOf(3), idOf(4)]);
});

test('tombstone: of a realm, whoever the user is', async () => {
  const { note, store, ids } = await aStore();
  await note('realm', 'gone');
  expect(
    await store(
      recordText(1, { realmId: 'gone', recordedAt: before }),
      recordText(2, { realmId: 'stays', externalUserId: 'gone', recordedAt: before }),
    ),
  ).toEqual({ stored: 1, duplicate: 0, tombstoned: 1 });
  expect(await ids()).toEqual([idOf(2)]);
});

test('tombstone: a statement that starts while an erasure is noted waits for it, and stores nothing of the user', async () => {
  const { databaseUrl, client, note, store, ids } = await aStore();
  await client.query('begin');
  await client.query('lock table subject_erasure in exclusive mode');
  await note('user', 'gone');
  const stored = store(
    recordText(1, { externalUserId: 'gone', recordedAt: before }),
    recordText(2, { externalUserId: 'stays', recordedAt: before }),
  );
  await untilBlocked(databaseUrl);
  await client.query('commit');
  expect(await stored).toEqual({ stored: 1, duplicate: 0, tombstoned: 1 });
  expect(await ids()).toEqual([idOf(2)]);
});

test('tombstone: an erasure that is noted right after the insert makes no count of duplicates below zero', async () => {
  const { client, store, ids } = await aStore();
  const records = [1, 2, 3].map((number) => recordText(number, { externalUserId: 'gone', recordedAt: before }));
  await store(...records.slice(0, 1));
  // Its mark is seen by all that comes after the insert, and not by the insert.
  await client.query(`
    create function note_erasure() returns trigger language plpgsql security definer set search_path from current as $$ begin
      insert into subject_erasure (kind, subject_hash, erased_before)
      values ('user', decode('${hashOfId('gone')}', 'hex'), '${before.toISOString()}');
      return null;
    end $$;
    create trigger note_erasure after insert on strategy_execution_log for each statement execute function note_erasure()`);
  expect(await store(...records)).toEqual({ stored: 2, duplicate: 0, tombstoned: 1 });
  expect(await ids()).toEqual([idOf(1), idOf(2), idOf(3)]);
});

test('tombstone: nor does a request that is dead, when its creator was erased', async () => {
  const { database, client } = await aStore();
  await client.query(`insert into creator_erasure values (decode($1, 'hex'), $2)`, [hashOfId('gone'), before]);
  const deadLetters = ['gone', 'stays'].map((createdBy) =>
    toDeadLetter(JSON.stringify({ createdBy, startedAt: before }), 'schema', 'reason', {
      ...{ queue: 'completed-request', contractVersion: 1, jobId: 'job', producer: 'p' },
    }),
  );
  expect(await storeDeadLetters(database, deadLetters)).toBe(1);
  const { rows } = await client.query('select payload from dead_letter');
  expect(rows).toEqual([{ payload: deadLetters[1]?.payload }]);
});

test('tombstone: a record that is dead becomes no dead letter when its user was erased, one made since then does', async () => {
  const { database, client, note } = await aStore();
  await note('user', 'gone');
  const deadLetter = (record: object) =>
    toDeadLetter(JSON.stringify(record), 'schema', 'reason', {
      queue: 'execution-log',
      contractVersion: 1,
      jobId: 'job',
      producer: 'p',
    });
  const deadLetters = [
    deadLetter({ externalUserId: 'gone', recordedAt: before }),
    deadLetter({ externalUserId: 'gone', recordedAt: 'no time' }),
    deadLetter({ records: [{ externalUserId: 'stays' }, { externalUserId: 'gone', recordedAt: before }] }),
    deadLetter({ externalUserId: 'gone', recordedAt: after }),
    deadLetter({ externalUserId: 'stays', recordedAt: before }),
  ];
  expect(await storeDeadLetters(database, deadLetters)).toBe(2);
  const { rows } = await client.query('select payload from dead_letter');
  expect(rows.map(({ payload }) => payload).sort()).toEqual(
    deadLetters
      .slice(3)
      .map(({ payload }) => payload)
      .sort(),
  );
});
