import { expect, inject, onTestFinished, test } from 'vitest';
import { loadConfig } from '../../../shared/platform/config/config.ts';
import { createDatabase } from '../../../shared/platform/postgres/database.ts';
import { executionLogQueue } from '../../../workers/execution-log/queue.ts';
import { anExecutionFleet, idOf, recordText } from '../../support/execution-fleet.ts';
import { connect, createTestDatabase, until } from '../../support/fixtures.ts';
import { connectRedis } from '../../support/health.ts';
import { accountsIn, countsIn, ledgerChunk, minute } from '../../support/ledger.ts';
import { startProxyTo } from '../../support/proxies.ts';
import { chunkText, settleChunk, withoutCopy } from '../../support/settle-chunk.ts';
import { isStoring } from '../../support/stored-executions.ts';
import { startWorker } from '../../support/worker.ts';

/** A database, and the two ways into it. */
async function aPlace() {
  const url = await createTestDatabase();
  const database = createDatabase(loadConfig({ DATABASE_URL: url }).database, 'test');
  onTestFinished(() => database.$disconnect());
  return {
    client: await connect(url),
    byCopy: (chunk: string) => settleChunk(executionLogQueue, database, chunk),
    byStatement: (chunk: string) => settleChunk(withoutCopy(executionLogQueue), database, chunk),
  };
}

/** A fleet to which jobs are added with the very data that a test says. */
async function aFleet(environment: Record<string, string> = {}) {
  const fleet = await anExecutionFleet(environment);
  const redis = connectRedis(inject('redisUrl'));
  const addData = async (...all: string[]): Promise<void> => {
    await fleet.queue.pause();
    for (const data of all) {
      const job = await fleet.queue.add('chunk', {});
      await redis.hset(fleet.queue.toKey(job.id ?? ''), { data });
    }
    await fleet.queue.resume();
  };
  onTestFinished(() => fleet.queue.resume());
  return { ...fleet, addData };
}

const recordedAt = new Date();

const texts = (...numbers: number[]): string[] => numbers.map((number) => recordText(number, { recordedAt }));

test('ledger: the account of a chunk is the same by COPY and by the statement', async () => {
  const of = [
    ['r-1', minute, 1],
    [`it's "r" \\ sluice.request`, minute, 2],
    ['r-1', minute + 1, 1],
    ['r-1', minute, 1],
  ];
  const chunk = ledgerChunk(texts(1, 2, 3, 4, 5), { of, before: 7 });
  const account = {
    ...{ seq: 1, total: 5, stored: 5, seen: 5, dead: 0, runs: null, problem: null, isSettled: true },
    ...{ storedPlaces: '11111', seenPlaces: '11111', deadPlaces: '00000' },
    parts: [
      ['r-1', minute, 2],
      [`it's "r" \\ sluice.request`, minute, 2],
      ['r-1', minute + 1, 1],
    ],
  };
  const [one, other] = [await aPlace(), await aPlace()];
  expect(await one.byCopy(chunk)).toMatchObject({ copies: ['{"stored":5,"duplicate":0}'] });
  expect(await other.byStatement(chunk)).toMatchObject({ copies: [] });
  for (const { client } of [one, other]) {
    expect(await accountsIn(client)).toEqual([account]);
    expect((await client.query('select before::int, day_at from ledger_chunk')).rows).toEqual([
      { before: 7, day_at: new Date(minute * 60_000) },
    ]);
  }
});

test('ledger: whatever way a chunk comes again, it counts once', async () => {
  const chunk = ledgerChunk(texts(1, 2, 3));
  for (const first of ['byCopy', 'byStatement'] as const) {
    const place = await aPlace();
    await place[first](chunk);
    const before = await accountsIn(place.client);
    expect(before).toMatchObject([{ stored: 3, seen: 3, dead: 0, runs: null }]);
    await place.byCopy(chunk);
    await place.byStatement(chunk);
    expect(await accountsIn(place.client)).toEqual(before);
  }
});

test('ledger: records that another chunk has stored are duplicates, and their places are known', async () => {
  const { client, byCopy } = await aPlace();
  await byCopy(ledgerChunk(texts(1, 2, 3)));
  const of = [
    ['r-1', minute, 2],
    ['r-2', minute, 2],
  ];
  const { copies } = await byCopy(ledgerChunk(texts(4, 2, 3, 5), { seq: 2, before: 3, of }));
  expect(copies).toEqual(['23505']);
  expect(await accountsIn(client)).toMatchObject([
    { seq: 1, stored: 3, seen: 3 },
    { seq: 2, total: 4, stored: 2, seen: 4, storedPlaces: '1001', seenPlaces: '1111', runs: of, isSettled: true },
  ]);
});

test('ledger: a record that a chunk has twice is stored once', async () => {
  const { client, byCopy } = await aPlace();
  const [one = '', other = ''] = texts(1, 2);
  await byCopy(ledgerChunk([one, other, one]));
  expect(await countsIn(client)).toEqual([{ seq: 1, total: 3, stored: 2, seen: 3, dead: 0 }]);
});

test('ledger: what was committed before a worker died is not counted again', async () => {
  const { client, byCopy } = await aPlace();
  const all = texts(1, 2, 3, 4);
  // A part of the chunk, as a bisected batch commits it.
  await byCopy(ledgerChunk(all.slice(0, 2), { of: [['r-1', minute, 4]], from: 0 }));
  expect(await accountsIn(client)).toMatchObject([{ total: 4, stored: 2, seenPlaces: '1100', isSettled: false }]);
  await byCopy(ledgerChunk(all));
  expect(await accountsIn(client)).toMatchObject([
    { total: 4, stored: 4, seen: 4, storedPlaces: '1111', problem: null, isSettled: true },
  ]);
});

test('ledger: the parts of a chunk make one account, in any order', async () => {
  const { client, byCopy, byStatement } = await aPlace();
  const all = texts(1, 2, 3, 4, 5);
  const of = [
    ['r-1', minute, 3],
    ['r-2', minute, 2],
  ];
  await byCopy(ledgerChunk(all.slice(3), { of, from: 3 }));
  await byStatement(ledgerChunk(all.slice(0, 2), { of, from: 0 }));
  expect(await accountsIn(client)).toMatchObject([
    { total: 5, stored: 4, storedPlaces: '11011', runs: of, problem: null, isSettled: false },
  ]);
});

test('ledger: a header that lies about the number of records is noted, and all records are stored', async () => {
  for (const way of ['byCopy', 'byStatement'] as const) {
    const place = await aPlace();
    await place[way](ledgerChunk(texts(1, 2, 3), { of: [['r-1', minute, 2]] }));
    await place[way](ledgerChunk(texts(4, 5), { seq: 2, of: [['r-1', minute, 3]] }));
    await place[way](ledgerChunk(texts(6, 7), { seq: 3, of: [['r-1', minute, 3]], from: 2 }));
    expect(await accountsIn(place.client)).toMatchObject([
      {
        ...{ seq: 1, total: 3, stored: 3, problem: 'counts' },
        parts: [
          ['r-1', minute, 2],
          ['*', minute, 1],
        ],
      },
      { seq: 2, total: 3, stored: 2, storedPlaces: '110', problem: 'counts', isSettled: false },
      { seq: 3, total: 4, stored: 2, storedPlaces: '0011', problem: 'counts' },
    ]);
    expect((await place.client.query('select from strategy_execution_log')).rowCount).toBe(7);
  }
});

test('ledger: a chunk that contradicts an earlier one of its name is stored, and the account stays', async () => {
  const { client, byCopy, byStatement } = await aPlace();
  await byCopy(ledgerChunk(texts(1, 2)));
  await byCopy(ledgerChunk(texts(3, 4, 5)));
  await byStatement(ledgerChunk(texts(6, 7, 8)));
  expect(await countsIn(client)).toEqual([{ seq: 1, total: 2, stored: 2, seen: 2, dead: 0 }]);
  expect((await client.query('select from strategy_execution_log')).rowCount).toBe(8);
});

test.each([
  ['no list', 'many'],
  ['an empty list', []],
  ['a count of 0', [['r-1', minute, 0]]],
  ['a count beyond everything', [['r-1', minute, 1e9]]],
  ['a minute that is none', [['r-1', 1e12, 1]]],
  ['a realm that is a number', [[7, minute, 1]]],
  ['a realm that is too long', [['x'.repeat(513), minute, 1]]],
  ['lists in lists', [[[[]], minute, 1]]],
])('ledger: a chunk whose header has %s is stored, and has no account', async (_what, of) => {
  const { client, byCopy, byStatement } = await aPlace();
  expect(await byCopy(ledgerChunk(texts(1), { of }))).toMatchObject({ outcome: { dead: [], records: 1 } });
  expect(await byStatement(ledgerChunk(texts(2), { of }))).toMatchObject({ outcome: { dead: [], records: 1 } });
  expect(await accountsIn(client)).toEqual([]);
  expect((await client.query('select from strategy_execution_log')).rowCount).toBe(2);
});

test('ledger: names that PostgreSQL cannot store, long headers and old minutes do no harm', async () => {
  const { client, byCopy, byStatement } = await aPlace();
  const long = Array.from({ length: 2_000 }, (_, index) => [`${'x'.repeat(500)}${index}`, minute, 1]);
  await byCopy(ledgerChunk(texts(1), { of: [['a\0b\ud800', 0, 1]] }));
  await byStatement(ledgerChunk(texts(2), { seq: 2, of: [['a\0b\ud800', 4_223_371_679, 1]] }));
  await byCopy(ledgerChunk(texts(3), { seq: 3, of: long, from: 5 }));
  const accounts = await accountsIn(client);
  expect(accounts).toMatchObject([
    { parts: [['a\ufffdb\ufffd', 0, 1]] },
    { parts: [['a\ufffdb\ufffd', 4_223_371_679, 1]] },
    { total: 2_000, stored: 1, runs: expect.any(Array) },
  ]);
  expect((await client.query('select from strategy_execution_log')).rowCount).toBe(3);
});

test('ledger: what was taken out of a chunk by an erasure is not missed', async () => {
  const { client, byCopy } = await aPlace();
  await byCopy(ledgerChunk(texts(1, 2), { of: [['r-1', minute, 4]], erased: [[1, 3]] }));
  expect(await accountsIn(client)).toMatchObject([
    { total: 4, stored: 2, seen: 4, storedPlaces: '1001', problem: null, isSettled: true },
  ]);
});

test('ledger: records of somebody who was erased count as there already, and an erased realm has no name', async () => {
  const { client, byCopy } = await aPlace();
  await client.query(
    `insert into subject_erasure (kind, subject_hash, erased_before)
     values ('realm', sha256(convert_to('r-1', 'UTF8')), now() + interval '1 hour')`,
  );
  const records = [recordText(1, { realmId: 'r-1' }), recordText(2, { realmId: 'r-2' })];
  const of = [
    ['r-1', minute, 1],
    ['r-2', minute, 1],
  ];
  expect(await byCopy(ledgerChunk(records, { of }))).toMatchObject({ copies: ['vetoed'] });
  const [account] = await accountsIn(client);
  expect(account).toMatchObject({ stored: 1, seen: 2, storedPlaces: '01' });
  expect(JSON.stringify(account)).toContain('r-2');
  expect(JSON.stringify(account)).not.toContain('r-1');
});

test('ledger: a chunk of an older version, and one of another language, go as ever and have no account', async () => {
  const { client, start, addData, empty, ids } = await aFleet();
  const worker = await start();
  await addData(
    chunkText(texts(1, 2)),
    ledgerChunk(texts(3)),
    `{"v":4,"producer":"p","epoch":1,"seq":1,"records":[${recordText(4)}]}`,
  );
  await empty();
  expect(await ids()).toEqual([1, 2, 3, 4].map(idOf));
  expect(await countsIn(client)).toEqual([{ seq: 1, total: 1, stored: 1, seen: 1, dead: 0 }]);
  expect(await worker.metric('sluice_records_unaccounted_total', {})).toBe(3);
});

test('ledger: dead records are in the account, by the contract and by the database', async () => {
  const { client, start, addData, empty, deadLetters } = await aFleet({ SLUICE_DEAD_SHARE_MAX: '1' });
  await client.query(`alter table strategy_execution_log add constraint odd check (realm_id <> 'odd')`);
  await start();
  const of = [
    ['r-1', minute, 2],
    ['r-2', minute, 3],
  ];
  const records = [
    recordText(1),
    `{"id":"${idOf(2)}"}`,
    recordText(3),
    recordText(4, { realmId: 'odd' }),
    recordText(5),
  ];
  await addData(ledgerChunk(records, { of }), ledgerChunk([recordText(6)], { seq: 2 }));
  await empty();
  expect(await deadLetters()).toEqual([`${idOf(2)} schema`, `${idOf(4)} 23514`]);
  expect(await accountsIn(client)).toMatchObject([
    {
      seq: 1,
      total: 5,
      stored: 3,
      seen: 3,
      dead: 2,
      storedPlaces: '10101',
      deadPlaces: '01010',
      runs: of,
      isSettled: true,
    },
    { seq: 2, stored: 1, dead: 0 },
  ]);
});

test('ledger: a chunk that nothing can be taken from is dead as a whole', async () => {
  const { client, start, addData, empty } = await aFleet({ SLUICE_DEAD_SHARE_MAX: '1' });
  await start();
  const chunk = ledgerChunk(texts(1, 2, 3));
  await addData(chunk.replace('"records"', '"records":[],"records"'), ledgerChunk(['{}', '1'], { seq: 2 }));
  await empty();
  expect(await countsIn(client)).toEqual([
    { seq: 1, total: 3, stored: 0, seen: 0, dead: 3 },
    { seq: 2, total: 2, stored: 0, seen: 0, dead: 2 },
  ]);
});

test('ledger: when the reply to a COPY is lost, and then that to a statement, the records count once', async () => {
  const fleet = await aFleet();
  const { proxy, url } = await startProxyTo(fleet.databaseUrl);
  await startWorker(url, fleet.namespace, { SLUICE_JOB_DELAY_MS: '200' });
  for (const [seq, lost] of [
    [1, 1],
    [2, 2],
  ] as const) {
    const first = proxy.loseReply(isStoring);
    await fleet.addData(ledgerChunk(texts(10 * seq, 10 * seq + 1), { seq }));
    expect((await first).length).toBeGreaterThan(0);
    if (lost > 1) await proxy.loseReply(isStoring);
    await fleet.empty();
  }
  expect(await countsIn(fleet.client)).toEqual([1, 2].map((seq) => ({ seq, total: 2, stored: 2, seen: 2, dead: 0 })));
  expect(await fleet.ids()).toHaveLength(4);
});

test('ledger: whoever holds the account of one chunk holds up no other', async () => {
  const { client, databaseUrl, start, addData, empty } = await aFleet({ SLUICE_BATCH_MAX_RECORDS: '2' });
  await start();
  await addData(ledgerChunk(texts(1, 2)));
  await empty();
  const holder = await connect(databaseUrl);
  await holder.query('begin; select from ledger_chunk where seq = 1 for update');
  // The first one comes again, with a record more that its account does not know.
  await addData(ledgerChunk(texts(1, 3)), ledgerChunk(texts(4, 5), { seq: 2 }), ledgerChunk(texts(6), { seq: 3 }));
  await until(async () => (await countsIn(client)).length === 3);
  await holder.query('commit');
  await empty();
  expect(await countsIn(client)).toMatchObject([
    { seq: 1, stored: 2, seen: 2 },
    { seq: 2, stored: 2 },
    { seq: 3, stored: 1 },
  ]);
});
