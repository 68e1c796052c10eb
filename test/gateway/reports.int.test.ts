import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { LedgerReport } from '../../shared/contracts/ledger-report.ts';
import { parseReport } from '../../shared/contracts/ledger-report-schema.ts';
import { aGateway, anInput, aRequestInput } from '../support/a-gateway.ts';
import { openQueue } from '../support/fixtures.ts';
import { startFragileRedis } from '../support/private-servers.ts';
import { accountOf, readMinutes, sum } from '../support/session-books.ts';
import { aTokensFile } from '../support/tokens-file.ts';

const minute = Math.floor(Date.UTC(2026, 4, 1, 10) / 60_000);

/** The report of a client. */
function aReport(overrides: Partial<LedgerReport> = {}, more: object = {}) {
  const report: LedgerReport = {
    ...{ number: 1, at: minute * 60_000, kind: 'python', isFinal: false, lastSeq: 0, chunkedRecords: 0 },
    ...{ waitingRecords: 0, unacknowledged: [], spilledRecords: 0, takenOverRecords: 0 },
    totals: { recorded: 3, sampledOut: 1, handed: 2 },
    minutes: [
      [minute, 'acme', { recorded: 2, handed: 2 }],
      [minute, 'other', { recorded: 1, sampledOut: 1 }],
    ],
    ...overrides,
  };
  return { v: 4, producer: 'web-1', epoch: 1_772_600_000_000, life: '9f2c4e01ab', report, ...more };
}

async function reportsIn(
  namespace: string,
  queue: 'execution-log' | 'completed-request' = 'execution-log',
  url?: string,
) {
  const jobs = await openQueue(namespace, url, queue).getJobs(['waiting'], 0, -1, true);
  return jobs
    .filter(({ name }) => name === 'report')
    .map(({ id, data }) => {
      const parsed = parseReport(data);
      if (parsed.kind !== 'report') throw new Error(parsed.reason);
      return { id, ...parsed.job };
    });
}

test('reports: what a client has counted is in the queue of its records, under a name that no chunk can have', async () => {
  const { path, tokens } = await aTokensFile([
    { name: 'shop.eu', scopes: ['executions'], realms: ['acme'] },
    { name: 'llm', scopes: ['requests'] },
  ]);
  const { send, namespace } = await aGateway({ SLUICE_GATEWAY_TOKENS_FILE: path });
  const shop = { token: tokens['shop.eu'] as string };
  const llm = { token: tokens['llm'] as string };
  expect(await send('/v1/reports?records=executions', aReport(), shop)).toMatchObject({
    status: 202,
    body: { accepted: 1, rejected: [] },
  });
  const zipped = gzipSync(JSON.stringify(aReport()));
  const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
  expect((await send('/v1/reports?records=requests', zipped, { ...llm, headers })).status).toBe(202);
  expect(await reportsIn(namespace)).toMatchObject([
    {
      id: 'web-1@shop.eu.1772600000000.9f2c4e01ab.report.1',
      producer: 'web-1@shop.eu',
      // Of a realm that it may not write it says nothing.
      report: { minutes: [[minute, 'acme', { recorded: 2, handed: 2 }]], totals: { recorded: 3 } },
    },
  ]);
  expect(await reportsIn(namespace, 'completed-request')).toMatchObject([{ producer: 'web-1@llm' }]);

  // The same once more adds nothing.
  expect((await send('/v1/reports?records=executions', aReport(), shop)).status).toBe(202);
  expect(await reportsIn(namespace)).toHaveLength(1);

  expect((await send('/v1/reports?records=requests', aReport(), shop)).status).toBe(403);
  expect((await send('/v1/reports?records=executions', aReport(), {})).status).toBe(401);
});

test('reports: nothing but the report of a client is taken, and a refusal says why', async () => {
  const { send, namespace, gateway } = await aGateway();
  const refused = async (body: unknown, query = '?records=executions') => {
    const { status, body: answer } = await send(`/v1/reports${query}`, body, {
      headers: { 'content-type': 'application/json' },
    });
    return `${status} ${answer.error.code}: ${answer.error.message}`;
  };
  expect(await refused(aReport(), '')).toBe('400 invalid-request: records: accepted: executions or requests');
  expect(await refused(aReport(), '?records=secrets')).toMatch(/^400 invalid-request: records/);
  expect(await refused('{"v":4')).toBe('400 invalid-json: The body is not JSON');
  expect(await refused('[]')).toMatch(/^400 invalid-request: The body is no report/);
  expect(await refused(aReport({}, { producer: 'web-1@shop' }))).toMatch(/^400 invalid-request: producer/);
  for (const producer of ['', 'web 1', 'a:b', 'x'.repeat(101), '../x'])
    expect(await refused(aReport({}, { producer }))).toMatch(/^400 invalid-request: .*producer/);
  expect(await refused(aReport({ number: 0 }))).toMatch(/^400 invalid-request: .*report\.number/);
  expect(await refused(aReport({ lastSeq: 3 }))).toMatch(/^400 invalid-request: lastSeq/);
  expect(await refused(aReport({ unacknowledged: [[1, 2]] }))).toMatch(/^400 invalid-request: unacknowledged/);
  expect(await refused(aReport({ totals: { recorded: 1, chunked: 1 } }))).toMatch(/^400 invalid-request: totals/);
  expect(await refused(aReport({ minutes: [[minute, null, { sent: 1 }]] }))).toMatch(/^400 invalid-request: minutes/);
  expect(await refused(aReport({ minutes: [[minute, 'a\0b', { recorded: 1 }]] }))).toMatch(/^400 invalid-request/);
  // Each record is in one place, so no more can be somewhere than were recorded.
  expect(await refused(aReport({ totals: { recorded: 3, sampledOut: 1, handed: 3 } }))).toBe(
    '400 invalid-request: The body is no report: report.totals: has 3 records recorded, and says where 4 of them are',
  );
  for (const totals of [
    { handed: 1 },
    { recorded: 1, dropped: { a: 1, b: 1 } },
    { recorded: 2, refused: 2, handed: 1 },
  ])
    expect(await refused(aReport({ totals }))).toMatch(/^400 invalid-request: .*report\.totals: has/);
  expect(await refused(aReport({ minutes: [[minute, 'acme', { recorded: 1, handed: 2 }]] }))).toMatch(
    /^400 invalid-request: .*report\.minutes\[0\]\[2\]: has 1/,
  );
  expect(await refused(aReport({ totals: { recorded: -1 } }))).toMatch(/^400 invalid-request: .*totals\.recorded/);
  expect(await refused(JSON.stringify(aReport()).padEnd(200_000))).toMatch(/^413 too-large/);
  expect((await send('/v1/reports?records=executions', '{}')).status).toBe(415);
  expect(await reportsIn(namespace)).toEqual([]);
  expect(gateway.url).not.toBeNull();
});

test('reports: a gateway without tokens takes them, too', async () => {
  const { send, namespace } = await aGateway();
  expect((await send('/v1/reports?records=executions', aReport())).status).toBe(202);
  expect(await reportsIn(namespace)).toMatchObject([
    { producer: 'web-1@anonymous', report: { minutes: { length: 2 } } },
  ]);
});

test('reports: while Redis says nothing they are refused in time, and taken when it answers again', async () => {
  const redis = await startFragileRedis();
  const { send, namespace } = await aGateway({ REDIS_URL: redis.url });
  expect((await send('/v1/reports?records=executions', aReport())).status).toBe(202);
  redis.freeze();
  const refused = await send('/v1/reports?records=executions', aReport({ number: 2 }));
  expect(refused).toMatchObject({ status: 503, body: { error: { code: 'redis-away' } } });
  redis.thaw();
  expect((await send('/v1/reports?records=executions', aReport({ number: 3 }))).status).toBe(202);
  expect((await reportsIn(namespace, 'execution-log', redis.url)).map(({ report }) => report.number)).toContain(3);
});

test('reports: the gateway counts what it takes as its own, with what it has sampled out and without what it rejects', async () => {
  const { send, namespace, gateway } = await aGateway({ DSL_EXECUTION_LOG_SAMPLE_RATE: '0' });
  const bad = { ...anInput(), strategyId: 5 };
  await send('/v1/executions', [anInput({ realmId: 'acme' }), anInput(), bad]);
  await send('/v1/executions?sample=true', [anInput({ realmId: 'acme' }), anInput({ status: 'error' })]);
  await send('/v1/requests', [aRequestInput(), aRequestInput()]);
  await gateway.stop(5_000);
  const executions = (await reportsIn(namespace)).map(({ report }) => report);
  expect(executions.at(-1)).toMatchObject({
    ...{ kind: 'gateway', isFinal: true },
    totals: { recorded: 4, sampledOut: 1, chunked: 3, sent: 3 },
  });
  const recorded = readMinutes(executions, (counters) => counters.recorded ?? 0);
  const recordedOf = (realm: string) =>
    sum(Object.entries(recorded).map(([key, records]) => (key.endsWith(` ${realm}`) ? records : 0)));
  expect([recordedOf('"acme"'), recordedOf('null')]).toEqual([2, 2]);
  expect((await reportsIn(namespace, 'completed-request')).at(-1)?.report).toMatchObject({
    kind: 'gateway',
    totals: { recorded: 2, chunked: 2, sent: 2 },
  });
  const jobs = await openQueue(namespace).getJobs(['waiting'], 0, -1, true);
  const chunks = jobs.filter(({ name }) => name === 'chunk').map(({ data }) => accountOf(JSON.stringify(data)));
  expect(chunks.flatMap(({ of }) => of.map(([realm]) => realm)).sort()).toEqual(expect.arrayContaining(['acme', null]));
});
