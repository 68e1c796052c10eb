import { expect, test } from 'vitest';
import { aConsole, acmeToken, allTokens, metricsToken, readToken } from '../../../support/a-console.ts';
import { until } from '../../../support/fixtures.ts';
import { aLife, insertChunk, insertLife, insertMinute } from '../../../support/ledger-rows.ts';
import { insertRun } from '../../../support/seed-console.ts';

const minute = Math.floor(Date.now() / 60_000) - 20;

/** A console whose ledger has 60 executions of two realms, of which the 20 of one chunk are missing and 4 were dropped. */
async function aConsoleWithAGap() {
  const place = await aConsole(allTokens);
  const life = aLife();
  for (const seq of [1, 3])
    await insertChunk(place.client, life, {
      seq,
      before: (seq - 1) * 20,
      of: [
        ['acme', minute, 15],
        ['borealis', minute, 5],
      ],
    });
  const dropped = { dropped: { bufferFull: 4 } };
  await insertMinute(place.client, life, minute, 'acme', { recorded: 49, chunked: 45, sent: 45, ...dropped });
  await insertMinute(place.client, life, minute, 'borealis', { recorded: 15, chunked: 15, sent: 15 });
  await insertLife(place.client, life, { lastSeq: 3, chunkedRecords: 60 });
  return { ...place, life };
}

test('ledger: the API tells the books with the gap, and only to who may read everything', async () => {
  const { get, life } = await aConsoleWithAGap();
  const { status, body } = await get('/api/v1/ledger?window=1h', readToken);
  expect(status).toBe(200);
  expect(body.verdict).toMatchObject({ state: 'missing', text: expect.stringContaining('20 records are missing') });
  expect(body.total).toMatchObject({ recorded: 64, stored: 40, dropped: 4, missing: 20, unexplained: 0 });
  expect(body.gaps).toMatchObject([
    { producer: life.producer, state: 'missing', fromSeq: 2, untilSeq: 2, records: 20 },
  ]);
  expect((await get(`/api/v1/ledger?window=1h&realmId=borealis&bucketSeconds=60`, readToken)).body.total).toMatchObject(
    {
      ...{ recorded: 15, stored: 10, missing: 5, unexplained: 0 },
    },
  );
  expect((await get('/api/v1/ledger', acmeToken)).status).toBe(403);
  expect((await get('/api/v1/ledger')).status).toBe(401);
});

test.for([
  ['window=1h&bucketSeconds=90', 'whole number of minutes'],
  ['queue=maintenance', 'queue'],
  ['since=yesterday', 'since must be a time'],
])('ledger: %s is refused, and why is said', async ([query = '', why = '']) => {
  const { get } = await aConsole(allTokens);
  const { status, text } = await get(`/api/v1/ledger?${query}`, readToken);
  expect({ status, text }).toEqual({ status: 400, text: expect.stringContaining(why) });
});

test('ledger: the metrics tell what is missing once the console has started, and nothing before', async () => {
  const { get, start } = await aConsoleWithAGap();
  const scrape = async () => (await get('/metrics', metricsToken)).text;
  expect(await scrape()).not.toMatch(/^sluice_ledger_missing_records\{/m);
  start();
  await until(async () => (await scrape()).includes('sluice_ledger_missing_records{queue="execution-log"} 20'));
  const text = await scrape();
  expect(text).toContain('sluice_ledger_missing_records{queue="completed-request"} 0');
  expect(text).toContain('sluice_ledger_uncertain_records{queue="execution-log"} 0');
  expect(text).toContain('sluice_ledger_unexplained_records{queue="execution-log"} 0');
});

test('figures of executions carry a mark when records of their window have no row, with what that could change', async () => {
  const { get, client } = await aConsoleWithAGap();
  const recordedAt = new Date(minute * 60_000);
  for (let run = 0; run < 8; run += 1)
    await insertRun(client, {
      strategy_id: 'bonus',
      realm_id: 'acme',
      recorded_at: recordedAt,
      sample_rate: 1,
      status: run < 2 ? 'error' : 'ok',
    });
  // Figures wait for the ledger for a moment only; on a busy machine it is the second answer that has it.
  const answered = (url: string, token: string) =>
    until(async () => {
      const { body } = await get(url, token);
      return (body.absent ?? body.a?.absent) && body;
    });
  const { absent, summary } = await answered('/api/v1/strategy?strategyId=bonus&window=1h', readToken);
  expect(summary.total.rows).toBe(8);
  expect(absent).toEqual({
    ...{ records: 24, dropped: 4, refused: 0, dead: 0, notArrived: 20 },
    failureRate: { low: 2 / 32, high: 26 / 32 },
  });
  // Of a realm, only its own.
  expect((await answered('/api/v1/strategy?strategyId=bonus&window=1h', acmeToken)).absent).toMatchObject({
    ...{ records: 19, dropped: 4, notArrived: 15 },
  });
  const { a, b } = await answered('/api/v1/comparison?a=bonus&b=other&window=1h', readToken);
  expect(a.absent).toEqual(absent);
  expect(b.absent).toMatchObject({ records: 24, failureRate: null });
  const before = `/api/v1/strategy?strategyId=bonus&since=2026-01-01&until=2026-01-02`;
  expect((await get(before, readToken)).body.absent).toBeNull();
});
