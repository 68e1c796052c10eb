import { expect, onTestFinished, test } from 'vitest';
import { type RequestTailOptions, tailRequests } from '../../../../cli/commands/requests/tail.ts';
import { loadConfig } from '../../../../shared/platform/config/config.ts';
import { createDatabase } from '../../../../shared/platform/postgres/database.ts';
import { connect, createTestDatabase, until } from '../../../support/fixtures.ts';
import { insertRequests } from '../../../support/request-rows.ts';

const agoMs = (ms: number): Date => new Date(Date.now() - ms);

/** A tail that goes on until the test ends, and the models of the requests that it has told of. */
function startTail(databaseUrl: string, options: Partial<RequestTailOptions> = {}) {
  const database = createDatabase(loadConfig({ DATABASE_URL: databaseUrl }).database, 'test');
  const stopping = new AbortController();
  const told: string[] = [];
  const ended = tailRequests(database, {
    filter: { failures: false },
    last: 0,
    lateMs: 60_000,
    longestMs: 900_000,
    everyMs: 10,
    signal: stopping.signal,
    async onRows(rows) {
      told.push(...rows.map(({ request }) => request.model));
    },
    onTrouble: () => undefined,
    ...options,
  });
  onTestFinished(async () => {
    stopping.abort();
    await ended;
    await database.$disconnect();
  });
  return told;
}

test('request tail: a request comes once, when it has ended, however long ago it arrived', async () => {
  const url = await createTestDatabase();
  const client = await connect(url);
  const [running] = await insertRequests(client, [
    { model: 'slow', state: 'processing', at: agoMs(600_000) },
    { model: 'before', at: agoMs(5_000) },
  ]);
  const told = startTail(url, { last: 1 });
  await until(() => told.includes('before'));
  await insertRequests(client, [
    { model: 'begun', state: 'processing', at: agoMs(0) },
    { model: 'next', at: agoMs(0) },
  ]);
  await until(() => told.includes('next'));
  await client.query(
    `update request set state = 'completed', response_status = 200, response_body = '', completed_at = now(), updated_at = now()
     where id = $1`,
    [running],
  );
  await until(() => told.includes('slow'));
  await insertRequests(client, [{ model: 'last', at: agoMs(0) }]);
  await until(() => told.includes('last'));
  expect(told).toEqual(['before', 'next', 'slow', 'last']);
});

test('request tail: an end that commits late comes once, and more at once than one answer holds all come', async () => {
  const url = await createTestDatabase();
  const client = await connect(url);
  const late = await connect(url);
  await late.query('begin');
  await insertRequests(late, [{ model: 'late', at: agoMs(500) }]);
  const told = startTail(url);
  await until(async () => {
    await insertRequests(client, [{ model: 'early', at: agoMs(0) }]);
    return told.includes('early');
  });
  await late.query('commit');
  await until(() => told.includes('late'));
  await insertRequests(
    client,
    Array.from({ length: 2_500 }, (_, n) => ({ model: `m${n}`, at: agoMs(n % 7) })),
  );
  await until(() => told.filter((model) => model.startsWith('m')).length >= 2_500);
  await insertRequests(client, [{ model: 'end', at: agoMs(0) }]);
  await until(() => told.includes('end'));
  const many = told.filter((model) => model.startsWith('m'));
  expect([many.length, new Set(many).size]).toEqual([2_500, 2_500]);
  expect(told.filter((model) => model === 'late')).toHaveLength(1);
});

test('request tail: it begins with the last ones, and keeps to its filter and to failures', async () => {
  const url = await createTestDatabase();
  const client = await connect(url);
  const failure = (model: string, ms: number, createdBy = 'me') => ({ model, createdBy, status: 500, at: agoMs(ms) });
  await insertRequests(client, [
    failure('f0', 30 * 86_400_000),
    failure('f1', 4_000),
    failure('f2', 3_000),
    failure('other', 1_000, 'you'),
    { model: 'ok', createdBy: 'me', at: agoMs(500) },
  ]);
  const told = startTail(url, { last: 3, filter: { failures: true, createdBy: 'me' } });
  await until(() => told.length > 0);
  await insertRequests(client, [{ model: 'ok', createdBy: 'me' }, failure('other', 0, 'you'), failure('f3', 0)]);
  await until(() => told.includes('f3'));
  expect(told).toEqual(['f0', 'f1', 'f2', 'f3']);
});
