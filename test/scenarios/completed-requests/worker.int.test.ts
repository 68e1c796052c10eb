import { expect, inject, onTestFinished, test } from 'vitest';
import { parseRepair } from '../../../dead-letters/repairs.ts';
import { replayDeadLetters } from '../../../dead-letters/replay.ts';
import { createBullmqTransport } from '../../../producers/core/transport.ts';
import { deadLetterName } from '../../../shared/contracts/dead-letter-key.ts';
import { jobName } from '../../../shared/contracts/queues.ts';
import { loadConfig } from '../../../shared/platform/config/config.ts';
import { createDatabase } from '../../../shared/platform/postgres/database.ts';
import { createRedis } from '../../../shared/platform/redis/redis.ts';
import { completedRequestQueue } from '../../../workers/completed-requests/queue.ts';
import { createRecordRole } from '../../../workers/ingest/record-role.ts';
import { createPurgeTask } from '../../../workers/maintenance/purge-task.ts';
import { asRole, connect, createNamespace, createTestDatabase, openQueue, until } from '../../support/fixtures.ts';
import { maintenanceDeps } from '../../support/maintenance.ts';
import { targetOf } from '../../support/redis-target.ts';
import { aBeginning, aCompletion, stateColumns } from '../../support/requests.ts';
import { startRole } from '../../support/worker.ts';

/** The role with less patience, so that a test need not have it either. */
function startRequests(databaseUrl: string, namespace: string, environment: Record<string, string> = {}, tries = 3) {
  const kind = { ...completedRequestQueue, retryPolicy: { tries, backoff: { baseMs: 1, maxMs: 1 } } };
  return startRole((deps) => createRecordRole(kind, deps), databaseUrl, namespace, environment);
}

/** A database, a queue and a worker of the test's own. */
async function aFleet(environment: Record<string, string> = {}, tries?: number) {
  const databaseUrl = await createTestDatabase();
  const namespace = createNamespace();
  const queue = openQueue(namespace, inject('redisUrl'), 'completed-request');
  const worker = await startRequests(databaseUrl, namespace, environment, tries);
  const client = await connect(databaseUrl);
  const completed = (jobs: number) =>
    until(async () => (await worker.metric('sluice_jobs_total', { outcome: 'completed' })) === jobs);
  const states = async () => (await client.query('select id, state from request')).rows;
  const deadLetters = async () => {
    const { rows } = await client.query(
      'select record_key, code, reason, attempts, state, payload from dead_letter order by record_key',
    );
    return rows.map(({ record_key, ...row }) => ({ name: deadLetterName(record_key), ...row }));
  };
  return { databaseUrl, namespace, queue, worker, client, completed, states, deadLetters };
}

let lastSeq = 0;
function chunkOf(records: unknown[]) {
  lastSeq += 1;
  return { v: 1, producer: 'test', epoch: 1, seq: lastSeq, records };
}

type Poison = [name: string, overrides: Record<string, unknown>, code: string];
const poisons: Poison[] = [
  ['NUL in the model', { model: 'a\0b' }, '22P05'],
  ['NUL in a body', { responseBody: 'a\0b' }, '22P05'],
  ['NUL in the creator', { createdBy: 'user\0' }, '22P05'],
  ['a lone surrogate', { requestBody: '\ud800' }, '22P02'],
  ['a blank creator', { createdBy: ' \t ' }, 'schema'],
  ['no creator', { createdBy: undefined }, 'schema'],
  ['a status beyond smallint', { statusCode: 40_000 }, 'schema'],
  ['a status that is none', { statusCode: -25_536 }, 'schema'],
  ['a model longer than an index entry', { model: 'm'.repeat(3_000) }, 'schema'],
  ['a creator longer than an index entry', { createdBy: '€'.repeat(3_000) }, 'schema'],
  ['a time that is none', { completedAt: '2026-02-30T00:00:00Z' }, 'schema'],
  ['a year before the calendar', { startedAt: '0000-01-01T00:00:00Z' }, '22008'],
  ['an API key in place of its hash', { apiKeyHash: 'sk-secret' }, 'schema'],
  ['a field that nobody knows', { apiKey: 'sk-secret' }, 'schema'],
  ['a size beyond the digits of a number', { requestBytes: 2 ** 60 }, 'schema'],
];

test.each(poisons)(
  'requests: %s is one dead letter wherever it stands, and every other record is stored',
  async (_name, overrides, code) => {
    const { queue, completed, states, deadLetters } = await aFleet({ SLUICE_BATCH_MAX_WAIT_MS: '50' });
    const bad = [0, 1, 2].map(() => ({ ...aCompletion(), ...overrides }));
    const good = Array.from({ length: 24 }, (_, n) => aCompletion({ createdBy: `tenant-${n % 3}` }));
    const chunks = [
      [bad[0], ...good.slice(0, 8)],
      [...good.slice(8, 12), bad[1], ...good.slice(12, 16)],
      [...good.slice(16), bad[2]],
    ];
    await queue.addBulk(chunks.map((records) => ({ name: jobName, data: chunkOf(records) })));
    await completed(3);
    expect((await states()).map(({ id }) => id).sort()).toEqual(good.map(({ requestId }) => requestId).sort());
    expect((await deadLetters()).map((deadLetter) => [deadLetter.name, deadLetter.code])).toEqual(
      bad
        .map((record): [string | undefined, string] => [record.requestId, code])
        .sort(([a = ''], [b = '']) => (a < b ? -1 : 1)),
    );
  },
);

test('requests: all poisons at once, among two hundred of other tenants, cost nobody else a record', async () => {
  const { queue, worker, completed, states, deadLetters } = await aFleet({ SLUICE_BATCH_MAX_WAIT_MS: '50' });
  const good = Array.from({ length: 200 }, (_, n) => aCompletion({ createdBy: `tenant-${n}` }));
  const bad = poisons.map(([, overrides]) => ({ ...aCompletion(), ...overrides }));
  const records = bad.reduce<object[]>((all, record, n) => all.toSpliced(n * 15, 0, record), good);
  await queue.addBulk(
    [0, 1, 2, 3, 4].map((part) => ({ name: jobName, data: chunkOf(records.slice(part * 43, part * 43 + 43)) })),
  );
  await completed(5);
  expect((await states()).map(({ id }) => id).sort()).toEqual(good.map(({ requestId }) => requestId).sort());
  expect((await deadLetters()).map(({ name }) => name).sort()).toEqual(bad.map(({ requestId }) => requestId).sort());
  expect(await worker.metric('sluice_records_total', { outcome: 'inserted' })).toBe(200);
  expect(await worker.metric('sluice_records_total', { outcome: 'dead' })).toBe(bad.length);
  const byDatabase = poisons.filter(([, , code]) => code !== 'schema').length;
  const statements = await worker.metric('sluice_batch_records_count', {});
  expect(statements).toBeLessThanOrEqual(2 * byDatabase * Math.log2(200 + byDatabase) + 5);
});

test('requests: a completion whose row is pending waits for it, and ends it when it runs', async () => {
  const { queue, client, completed, states, deadLetters, worker } = await aFleet({}, 1_000_000);
  const begun = aBeginning();
  await queue.add(jobName, chunkOf([begun]));
  await completed(1);
  await client.query(`update request set ${stateColumns['pending']}`);
  await queue.add(jobName, chunkOf([aCompletion(), aCompletion({ requestId: begun.requestId }), aCompletion()]));
  await until(async () => (await worker.metric('sluice_jobs_total', { outcome: 'retry_limited' })) >= 3);
  expect((await states()).map(({ state }) => state).sort()).toEqual(['completed', 'completed', 'pending']);

  await client.query(
    `update request set state = 'processing', daemon_id = gen_random_uuid(), claimed_at = now(), started_at = now() where state = 'pending'`,
  );
  await completed(2);
  expect((await states()).map(({ state }) => state)).toEqual(['completed', 'completed', 'completed']);
  expect(await deadLetters()).toEqual([]);
});

test('requests: a completion whose row never runs becomes a dead letter with the row’s state, once', async () => {
  const { queue, client, completed, deadLetters, worker } = await aFleet({}, 3);
  const begun = aBeginning();
  await queue.add(jobName, chunkOf([begun]));
  await completed(1);
  await client.query(`update request set ${stateColumns['claimed']}`);
  const ended = aCompletion({ requestId: begun.requestId });
  const alsoDead = { ...aCompletion(), model: 7 };
  await queue.add(jobName, chunkOf([ended, alsoDead]));
  await completed(2);
  expect(await worker.metric('sluice_jobs_total', { outcome: 'retry_limited' })).toBe(3);
  expect(await worker.metric('sluice_records_total', { outcome: 'dead' })).toBe(2);
  const found = await deadLetters();
  expect(found.find(({ name }) => name === ended.requestId)).toEqual({
    name: ended.requestId,
    code: 'conflict',
    reason: 'its row is in state claimed',
    attempts: 1,
    state: 'open',
    payload: JSON.stringify(ended),
  });
  expect(found.find(({ name }) => name === alsoDead.requestId)).toMatchObject({
    code: 'schema',
    attempts: 1,
  });
});

test('requests: a completion of somebody else’s request is dead at once, and the request untouched', async () => {
  const { queue, completed, states, deadLetters, worker } = await aFleet();
  const begun = aBeginning({ createdBy: 'victim' });
  await queue.add(jobName, chunkOf([begun]));
  await completed(1);
  await queue.add(jobName, chunkOf([aCompletion({ requestId: begun.requestId, createdBy: 'thief' }), aCompletion()]));
  await completed(2);
  expect((await states()).map(({ state }) => state).sort()).toEqual(['completed', 'processing']);
  expect(await deadLetters()).toMatchObject([{ name: begun.requestId, code: 'foreign' }]);
  expect(await worker.metric('sluice_jobs_total', { outcome: 'retry_limited' })).toBe(0);
});

test('requests: the dead beginning and the dead completion of one request are two dead letters', async () => {
  const { queue, completed, deadLetters } = await aFleet();
  const requestId = 'ABCDEF01-0000-4000-8000-000000000001';
  await queue.add(
    jobName,
    chunkOf([aBeginning({ requestId, model: 'a\0' }), aCompletion({ requestId, model: 'a\0' })]),
  );
  await completed(1);
  const id = requestId.toLowerCase();
  expect((await deadLetters()).map(({ name }) => name)).toEqual([id, `begun:${id}`]);
});

test('requests: dead letters are replayed into their own queue, as they are and repaired', async () => {
  const { databaseUrl, namespace, queue, client, completed, states, deadLetters } = await aFleet();
  const digits = '{"n":12345678901234567890}';
  const poisoned = aCompletion({ model: 'a\0b', responseBody: digits });
  const waiting = aBeginning();
  await queue.add(jobName, chunkOf([waiting]));
  await completed(1);
  await client.query(`update request set ${stateColumns['pending']}`);
  await queue.add(jobName, chunkOf([poisoned, aCompletion({ requestId: waiting.requestId })]));
  await completed(2);
  expect((await deadLetters()).map(({ code }) => code).sort()).toEqual(['22P05', 'conflict']);
  await client.query(
    `update request set state = 'processing', daemon_id = gen_random_uuid(), claimed_at = now(), started_at = now()`,
  );

  const database = createDatabase(loadConfig({ DATABASE_URL: databaseUrl }).database, 'test');
  const redis = createRedis(targetOf(inject('redisUrl')), { role: 'producer', name: 'test', logger: null });
  onTestFinished(async () => {
    redis.disconnect();
    await database.$disconnect();
  });
  const result = await replayDeadLetters(
    { database, redis, namespace, memoryShare: 1, shards: 1 },
    {
      filter: { queue: 'completed-request', state: 'open' },
      repairs: [parseRepair('strip-nul')],
      limit: 10,
      perSecond: null,
      onProgress: () => undefined,
    },
  );
  expect(result).toEqual({ replayed: 2, skipped: [] });
  await completed(4);
  expect(await states()).toHaveLength(2);
  expect((await states()).map(({ state }) => state)).toEqual(['completed', 'completed']);
  expect((await deadLetters()).map(({ state }) => state)).toEqual(['stored', 'stored']);
  const { rows } = await client.query('select model, response_body from request where id = $1', [poisoned.requestId]);
  expect(rows).toEqual([{ model: 'a\uFFFDb', response_body: digits }]);
});

test('requests: a chunk that is delivered again and again is stored once', async () => {
  const { queue, completed, states, worker } = await aFleet();
  const begun = aBeginning();
  const records = [begun, aCompletion({ requestId: begun.requestId }), aCompletion()];
  for (let delivery = 1; delivery <= 5; delivery += 1) await queue.add(jobName, chunkOf(records));
  await completed(5);
  expect(await states()).toHaveLength(2);
  expect(await worker.metric('sluice_records_total', { outcome: 'inserted' })).toBe(2);
  expect(await worker.metric('sluice_records_total', { outcome: 'duplicate' })).toBe(13);
});

test('requests: two workers share a queue of begun and ended requests, and each ends completed once', async () => {
  const { databaseUrl, namespace, queue, states, deadLetters, client } = await aFleet({
    SLUICE_BATCH_MAX_RECORDS: '20',
  });
  await startRequests(databaseUrl, namespace, { SLUICE_BATCH_MAX_RECORDS: '20' });
  const begun = Array.from({ length: 300 }, () => aBeginning());
  const jobs = begun.flatMap((record) => [[record], [aCompletion({ requestId: record.requestId })]]);
  await queue.addBulk(jobs.map((records) => ({ name: jobName, data: chunkOf(records) })));
  await until(async () =>
    Object.values(await queue.getJobCounts('waiting', 'active', 'delayed')).every((n) => n === 0),
  );
  expect((await states()).map(({ state }) => state)).toEqual(Array(300).fill('completed'));
  expect(await deadLetters()).toEqual([]);
  expect((await client.query('select from request_template')).rowCount).toBe(300);
});

test.each([
  ['of ten megabytes', 'größe 大 '.repeat(800_000)],
  ['that are empty', ''],
  ['of raw events', 'data: {"delta":"a"}\n\ndata: [DONE]\r\n\r\n'],
  ['in base64', Buffer.from([0, 255, 31, 139]).toString('base64')],
  ['with integers beyond 2^53', '{"id":12345678901234567890,"n":1e400}'],
])('requests: bodies %s come through the queue to the last byte', async (_name, body) => {
  const { queue, namespace, completed, client } = await aFleet();
  const record = aCompletion({ requestBody: body, responseBody: body });
  const redis = createRedis(targetOf(inject('redisUrl')), { role: 'producer', name: 'test', logger: null });
  const transport = createBullmqTransport({ redis, queue: 'completed-request', namespace });
  const { records, ...header } = chunkOf([record]);
  await transport.send([
    { id: 'body', data: `${JSON.stringify(header).slice(0, -1)},"records":${JSON.stringify(records)}}` },
  ]);
  await transport.close();
  await completed(1);
  const { rows } = await client.query(
    'select response_body as response, body as request from request join request_template on request_template.id = template_id',
  );
  expect([rows[0].response === body, rows[0].request === body]).toEqual([true, true]);
  expect(await queue.getFailedCount()).toBe(0);
});

test('requests: one whose times cannot be is stored with a note, counted, and kept by its storage, whoever made its record', async () => {
  const { databaseUrl, queue, completed, client, worker } = await aFleet();
  const inSeconds = aCompletion({ startedAt: '1970-01-21T10:55:12.245Z' });
  const ahead = aCompletion({ startedAt: '2099-01-01T00:00:00.000Z', notes: 'made by hand' });
  await queue.add(jobName, chunkOf([aCompletion(), inSeconds, ahead]));
  await completed(1);
  expect(await worker.metric('sluice_records_implausible_total', { queue: 'completed-request' })).toBe(2);
  const rows = async () => (await client.query('select id, notes from request order by notes nulls first')).rows;
  const stored = await rows();
  expect(stored).toEqual([
    { id: expect.any(String), notes: null },
    { id: ahead.requestId, notes: expect.stringMatching(/^made by hand; startedAt: 2099-.* a day ahead$/) },
    { id: inSeconds.requestId, notes: expect.stringMatching(/^startedAt: 1970-01-21.* before 2000/) },
  ]);
  const { deps } = await maintenanceDeps({}, asRole(databaseUrl, 'migrator'));
  const purge = createPurgeTask(deps);
  expect(await purge.run(new AbortController().signal)).toEqual({ outcome: 'done', purged: {} });
  expect(await rows()).toEqual(stored);
});
