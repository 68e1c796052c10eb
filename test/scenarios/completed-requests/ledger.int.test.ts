import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { captureBegunRequest, captureCompletedRequest } from '../../../producers/requests/request-record.ts';
import { loadConfig } from '../../../shared/platform/config/config.ts';
import { createDatabase } from '../../../shared/platform/postgres/database.ts';
import { completedRequestQueue } from '../../../workers/completed-requests/queue.ts';
import { connect, createTestDatabase, untilBlocked } from '../../support/fixtures.ts';
import { accountsIn, countsIn, ledgerChunk, minute } from '../../support/ledger.ts';
import { aRequest } from '../../support/request.ts';
import { settleChunk, withoutCopy } from '../../support/settle-chunk.ts';

const context = { nowMs: Date.now(), maxBodyBytes: 10_000, hashApiKey: () => 'a'.repeat(64), stripRequestKeys: [] };
const begun = (requestId: string): string => captureBegunRequest(aRequest({ requestId }), context).write().json;
const ended = (requestId: string, overrides: Parameters<typeof aRequest>[0] = {}): string =>
  captureCompletedRequest(aRequest({ requestId, ...overrides }), context).write().json;
const ids = (count: number): string[] => Array.from({ length: count }, () => randomUUID());

async function aPlace() {
  const url = await createTestDatabase();
  const database = createDatabase(loadConfig({ DATABASE_URL: url }).database, 'test');
  onTestFinished(() => database.$disconnect());
  return {
    url,
    client: await connect(url),
    byCopy: (chunk: string) => settleChunk(completedRequestQueue, database, chunk),
    byStatement: (chunk: string) => settleChunk(withoutCopy(completedRequestQueue), database, chunk),
  };
}

test('ledger: the account of a chunk of requests is the same by COPY and by the statement, and has no realm', async () => {
  const texts = ids(3).map((id) => ended(id));
  const chunk = ledgerChunk(texts, {
    of: [
      ['r-1', minute, 2],
      [null, minute + 1, 1],
    ],
  });
  const [one, other] = [await aPlace(), await aPlace()];
  expect(await one.byCopy(chunk)).toMatchObject({ copies: ['{"inserted":3,"duplicate":0}'] });
  await other.byStatement(chunk);
  for (const { client } of [one, other])
    expect(await accountsIn(client)).toMatchObject([
      {
        ...{ seq: 1, total: 3, stored: 3, seen: 3, dead: 0, runs: null, isSettled: true },
        parts: [
          [null, minute, 2],
          [null, minute + 1, 1],
        ],
      },
    ]);
});

test('ledger: whatever way a chunk of requests comes again, it counts once', async () => {
  for (const first of ['byCopy', 'byStatement'] as const) {
    const place = await aPlace();
    const [one = '', other = ''] = ids(2);
    const chunk = ledgerChunk([begun(one), ended(other)]);
    await place[first](chunk);
    await place.byCopy(chunk);
    await place.byStatement(chunk);
    expect(await countsIn(place.client)).toEqual([{ seq: 1, total: 2, stored: 2, seen: 2, dead: 0 }]);
  }
});

test('ledger: an end that updates its row is stored, one that comes too late is a duplicate', async () => {
  const { client, byCopy } = await aPlace();
  const [one = '', other = ''] = ids(2);
  await byCopy(ledgerChunk([begun(one), ended(other)]));
  await byCopy(ledgerChunk([ended(one), ended(other), begun(one)], { seq: 2, before: 2 }));
  expect(await accountsIn(client)).toMatchObject([
    { seq: 1, stored: 2 },
    { seq: 2, total: 3, stored: 1, seen: 3, storedPlaces: '100', isSettled: true },
  ]);
});

test('ledger: a record of a stranger, and one whose row is held, are not settled', async () => {
  const { client, url, byCopy } = await aPlace();
  const [one = '', other = '', third = ''] = ids(3);
  await byCopy(ledgerChunk([begun(one), begun(other)]));
  const holder = await connect(url);
  await holder.query(`begin; select from request where id = '${one}' for update`);
  const { outcome } = await byCopy(
    ledgerChunk([ended(one), ended(other, { createdBy: 'a-stranger' }), ended(third)], { seq: 2, before: 2 }),
  );
  expect(outcome).toMatchObject({ retryLater: 1, dead: [{ code: 'foreign' }], ledger: { dead: [1] } });
  await holder.query('commit');
  expect(await accountsIn(client)).toMatchObject([
    { seq: 1, stored: 2 },
    { seq: 2, stored: 1, seen: 1, seenPlaces: '001', runs: [[null, minute, 3]], isSettled: false },
  ]);
});

test.each(['byCopy', 'byStatement'] as const)(
  'ledger: two workers with the same chunk at once come to one account, %s',
  async (way) => {
    const place = await aPlace();
    const chunk = ledgerChunk(ids(3).map((id) => ended(id)));
    const holder = await connect(place.url);
    // One waits for it, the other one for the first.
    await holder.query('begin; lock table ledger_chunk in share mode');
    const both = [place[way](chunk), place[way](chunk)];
    await untilBlocked(place.url);
    await holder.query('commit');
    await Promise.all(both);
    expect(await countsIn(place.client)).toEqual([{ seq: 1, total: 3, stored: 3, seen: 3, dead: 0 }]);
  },
);
