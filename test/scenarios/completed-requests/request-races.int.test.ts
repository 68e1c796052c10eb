import { expect, test } from 'vitest';
import { deleteRequest } from '../../../erasure/delete-request.ts';
import { eraseCreator } from '../../../erasure/erase-creator.ts';
import { inSchema } from '../../../shared/platform/postgres/schema.ts';
import { storeStatement } from '../../../workers/completed-requests/statement.ts';
import { connect, ourSchema, untilBlocked } from '../../support/fixtures.ts';
import { aBeginning, aCompletion, aRequestStore } from '../../support/requests.ts';

const statement = (): string => inSchema(storeStatement.join('$1'), ourSchema());

test.each(['inserts', 'ends'])(
  'deletion: it waits for a statement that %s its row, and takes that row too',
  async (does) => {
    const { database, databaseUrl, client, store, rows, templates } = await aRequestStore();
    const begun = aBeginning();
    const { requestId } = begun;
    if (does === 'ends') await store([begun]);
    await client.query('begin');
    await client.query(statement(), [JSON.stringify([aCompletion({ requestId })])]);
    const deleted = deleteRequest(database, requestId);
    await untilBlocked(databaseUrl);
    await client.query('commit');
    expect(await deleted).toBe('deleted');
    expect([await rows(), await templates()]).toEqual([[], []]);
  },
);

test('deletion: a statement that starts while it runs waits for it, and stores nothing', async () => {
  const { databaseUrl, client, store, rows } = await aRequestStore();
  const record = aCompletion();
  await client.query('begin');
  await client.query('lock table request_tombstone in exclusive mode');
  await client.query('insert into request_tombstone (id) values ($1)', [record.requestId]);
  const stored = store([record, aCompletion()]);
  await untilBlocked(databaseUrl);
  await client.query('commit');
  expect(await stored).toEqual(['tombstoned', 'inserted']);
  expect(await rows()).toHaveLength(1);
});

test('deletion: a dump and other readers neither hold it up nor are held up', async () => {
  const { database, databaseUrl, client, store } = await aRequestStore();
  const record = aCompletion();
  await store([record]);
  const reader = await connect(databaseUrl);
  await reader.query('begin isolation level repeatable read');
  await reader.query('lock table request_tombstone, request, request_template in access share mode');
  expect(await deleteRequest(database, record.requestId)).toBe('deleted');
  await client.query('begin');
  await client.query('lock table request_tombstone in exclusive mode');
  expect((await reader.query('select from request_tombstone')).rowCount).toBe(1);
});

test('deletion: under a storm of records of the same ids none of them is left or comes back', async () => {
  const { database, store, rows, orphans } = await aRequestStore();
  const records = Array.from({ length: 20 }, () => aCompletion());
  const doomed = records.slice(0, 5);
  let isOver = false;
  const storm = Promise.all(
    [1, 2, 3].map(async () => {
      while (!isOver) await store(records);
    }),
  );
  for (const { requestId } of doomed) await deleteRequest(database, requestId);
  isOver = true;
  await storm;
  await store(records);
  expect((await rows()).map(({ id }) => id).sort()).toEqual(
    records
      .slice(5)
      .map(({ requestId }) => requestId)
      .sort(),
  );
  expect(await orphans()).toBe(0);
});

test('erasure: it waits for a statement that stores a record of the creator, and takes that too', async () => {
  const { database, databaseUrl, client, rows, templates } = await aRequestStore();
  await client.query('begin');
  await client.query(statement(), [JSON.stringify([aCompletion({ createdBy: 'gone' })])]);
  const erased = eraseCreator(database, 'gone', { chunk: 10 });
  await untilBlocked(databaseUrl);
  await client.query('commit');
  expect(await erased).toEqual({ requests: 1, deadLetters: 0, isDone: true });
  expect([await rows(), await templates()]).toEqual([[], []]);
});
