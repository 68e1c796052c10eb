import { createHash, randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { storeRequests } from '../../../workers/completed-requests/store.ts';
import { untilBlocked } from '../../support/fixtures.ts';
import { aBeginning, aCompletion, aRequestStore, stateColumns } from '../../support/requests.ts';

test('request store: an empty list stores nothing', async () => {
  const { store, rows } = await aRequestStore();
  expect(await store([])).toEqual([]);
  expect(await rows()).toEqual([]);
});

test('request store: a completion without a row is inserted as completed, column by column', async () => {
  const { store, rows, templates } = await aRequestStore();
  const record = aCompletion({
    requestBody: '{"input":"grüße"}',
    responseBody: '{"output":"ça va"}',
    apiKeyHash: 'ab'.repeat(32),
    notes: 'a note',
    traceId: '1'.repeat(32),
    spanId: '1'.repeat(16),
    isStream: true,
    startedAt: '2026-03-01T12:00:00.500Z',
    completedAt: '2026-03-01T12:00:02.000Z',
  });
  expect(await store([record])).toEqual(['inserted']);
  const [row] = await rows();
  expect(row).toEqual({
    id: record.requestId,
    template_id: createHash('sha256')
      .update(`sluice:request_template:${record.requestId}`)
      .digest('hex')
      .slice(0, 32)
      .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'),
    state: 'completed',
    model: 'gpt-5',
    service_tier: 'priority',
    created_by: 'user-1',
    daemon_id: '00000000-0000-0000-0000-000000000000',
    response_status: 200,
    response_body: '{"output":"ça va"}',
    response_encoding: 'utf8',
    response_size: '19',
    response_cut: false,
    response_stream: true,
    response_incomplete: false,
    error: null,
    notes: 'a note',
    created_at: new Date('2026-03-01T12:00:00.500Z'),
    claimed_at: new Date('2026-03-01T12:00:00.500Z'),
    started_at: new Date('2026-03-01T12:00:00.500Z'),
    completed_at: new Date('2026-03-01T12:00:02.000Z'),
    failed_at: null,
    canceled_at: null,
    updated_at: expect.any(Date),
    stored_at: expect.any(Date),
    trace_id: '1'.repeat(32),
    span_id: '1'.repeat(16),
    provider: null,
    api: null,
    input_tokens: null,
    cached_tokens: null,
    output_tokens: null,
    reasoning_tokens: null,
    finish_reason: null,
    tool_calls: null,
    first_token_at: null,
    facts_version: 1,
  });
  expect(await templates()).toEqual([
    {
      id: row.template_id,
      method: 'POST',
      path: '/v1/responses',
      model: 'gpt-5',
      body: '{"input":"grüße"}',
      body_encoding: 'utf8',
      body_byte_size: '19',
      body_cut: false,
      api_key_hash: 'ab'.repeat(32),
      created_at: new Date('2026-03-01T12:00:00.500Z'),
    },
  ]);
});

test('request store: the span of a request is that of its end, also in one batch with its beginning; else that of its beginning', async () => {
  const { store, rows } = await aRequestStore();
  const [begun, ended] = [span('1'), span('2')];
  const [both, first, second, third] = [aBeginning(begun), aBeginning(begun), aBeginning(begun), aBeginning()];
  const endOf = ({ requestId }: { requestId: string }, of: object = {}) => aCompletion({ requestId, ...of });
  await store([first, second, third]);
  await store([both, endOf(both, ended), endOf(first, ended), endOf(second), endOf(third, { traceId: ended.traceId })]);
  const stored = new Map((await rows()).map(({ id, ...row }) => [id, [row.state, row.trace_id, row.span_id]]));
  expect([both, first, second, third].map(({ requestId }) => stored.get(requestId))).toEqual([
    ['completed', ended.traceId, ended.spanId],
    ['completed', ended.traceId, ended.spanId],
    ['completed', begun.traceId, begun.spanId],
    ['completed', ended.traceId, null],
  ]);
});

function span(digit: string) {
  return { traceId: digit.repeat(32), spanId: digit.repeat(16) };
}

test.each([
  [100, 'failed'],
  [199, 'failed'],
  [200, 'completed'],
  [204, 'completed'],
  [299, 'completed'],
  [300, 'failed'],
  [302, 'failed'],
  [402, 'failed'],
  [499, 'failed'],
  [503, 'failed'],
  [599, 'failed'],
])('request store: status %i ends a request as %s, with and without a row', async (statusCode, state) => {
  const { store, rows } = await aRequestStore();
  const begun = aBeginning();
  const ended = aCompletion({ requestId: begun.requestId, statusCode, responseBody: 'the body' });
  await store([begun]);
  expect(await store([ended, aCompletion({ statusCode, responseBody: 'the body' })])).toEqual([
    'updated processing',
    'inserted',
  ]);
  const at = new Date(ended.completedAt);
  const failed = state === 'failed';
  for (const row of await rows()) {
    expect(row).toMatchObject({ state, response_status: statusCode, response_body: 'the body', response_size: '8' });
    expect([row.completed_at, row.failed_at]).toEqual(failed ? [null, at] : [at, null]);
    // The body is in the row once.
    expect(row.error === null ? null : JSON.parse(row.error)).toEqual(
      failed ? { type: 'NonRetriableHttpStatus', details: { status: statusCode } } : null,
    );
  }
});

test('request store: a beginning makes a processing row, and its completion ends it without touching whose and what it is', async () => {
  const { store, rows, templates } = await aRequestStore();
  const begun = aBeginning({ serviceTier: 'background', notes: 'at the start' });
  expect(await store([begun])).toEqual(['inserted']);
  const [before] = await rows();
  expect(before).toMatchObject({
    state: 'processing',
    service_tier: 'background',
    created_by: 'user-1',
    response_status: null,
    response_body: null,
    error: null,
    completed_at: null,
    failed_at: null,
    started_at: new Date(begun.startedAt),
    claimed_at: new Date(begun.startedAt),
  });

  const ended = aCompletion({
    requestId: begun.requestId,
    model: 'another',
    serviceTier: 'flex',
    startedAt: '2026-03-05T00:00:00.000Z',
    completedAt: '2026-03-05T00:00:01.000Z',
    requestBody: 'another',
    responseBody: 'the answer',
    isIncomplete: true,
    responseCut: true,
    responseBytes: 7_000,
  });
  expect(await store([ended])).toEqual(['updated processing']);
  const [after] = await rows();
  expect(after).toEqual({
    ...before,
    state: 'completed',
    facts_version: 1,
    response_status: 200,
    response_body: 'the answer',
    response_encoding: 'utf8',
    response_size: '7000',
    response_cut: true,
    response_incomplete: true,
    completed_at: new Date('2026-03-05T00:00:01.000Z'),
    updated_at: expect.any(Date),
  });
  expect(await templates()).toMatchObject([{ body: begun.requestBody, model: 'gpt-5' }]);
});

test('request store: a batch may insert, begin, end and repeat at once, each record in its own way', async () => {
  const { store, rows, orphans } = await aRequestStore();
  const running = aBeginning();
  const over = aCompletion();
  await store([running, over]);
  const both = aBeginning();
  expect(
    await store([
      aCompletion(),
      aCompletion({ requestId: running.requestId }),
      aBeginning(),
      over,
      both,
      aCompletion({ requestId: both.requestId }),
    ]),
  ).toEqual(['inserted', 'updated processing', 'inserted', 'duplicate completed', 'duplicate', 'inserted']);
  expect(await rows()).toHaveLength(5);
  expect(await orphans()).toBe(0);
});

test.each(['completed', 'failed', 'canceled'])('request store: a row that is %s is left as it is', async (state) => {
  const { store, rows, client, orphans } = await aRequestStore();
  const begun = aBeginning();
  await store([begun]);
  await client.query(`update request set ${stateColumns[state]}`);
  const before = await rows();
  const again = aCompletion({ requestId: begun.requestId, statusCode: 500, responseBody: 'other' });
  expect(await store([again, begun])).toEqual([`duplicate ${state}`, `duplicate ${state}`]);
  expect(await rows()).toEqual(before);
  expect(await orphans()).toBe(0);
});

test.each(['pending', 'claimed'])(
  'request store: a completion of a row that is %s is in conflict and changes nothing',
  async (state) => {
    const { store, rows, client, orphans } = await aRequestStore();
    const begun = aBeginning();
    await store([begun]);
    await client.query(`update request set ${stateColumns[state]}`);
    const before = await rows();
    const ended = aCompletion({ requestId: begun.requestId });
    expect(await store([begun, ended, ended, aCompletion()])).toEqual([
      `duplicate ${state}`,
      `conflict ${state}`,
      `conflict ${state}`,
      'inserted',
    ]);
    expect((await rows()).filter(({ id }) => id === begun.requestId)).toEqual(before);
    expect(await orphans()).toBe(0);
  },
);

test.each(Object.keys(stateColumns))(
  'request store: a row that is %s and somebody else’s is foreign, and untouched',
  async (state) => {
    const { store, rows, client, orphans } = await aRequestStore();
    const begun = aBeginning({ createdBy: 'victim' });
    await store([begun]);
    await client.query(`update request set ${stateColumns[state]}`);
    const before = await rows();
    const { requestId } = begun;
    expect(await store([aCompletion({ requestId }), aBeginning({ requestId })])).toEqual([
      `foreign ${state}`,
      `foreign ${state}`,
    ]);
    expect(await rows()).toEqual(before);
    expect(await orphans()).toBe(0);
  },
);

test('request store: of two creators with one id in one batch the first has it, whatever the other does', async () => {
  const { store, rows } = await aRequestStore();
  const begun = aBeginning({ createdBy: 'victim' });
  const { requestId } = begun;
  expect(
    await store([
      begun,
      aCompletion({ requestId, createdBy: 'thief' }),
      aCompletion({ requestId, createdBy: 'victim' }),
    ]),
  ).toEqual(['duplicate', 'foreign', 'inserted']);
  expect(await rows()).toMatchObject([{ created_by: 'victim', state: 'completed' }]);
});

test('request store: of two completions in one batch the first counts, with and without a row', async () => {
  const { store, rows, templates } = await aRequestStore();
  const begun = aBeginning();
  await store([begun]);
  const twice = (requestId: string) => [
    aCompletion({ requestId, responseBody: 'first' }),
    aCompletion({ requestId, responseBody: 'second', statusCode: 500 }),
  ];
  expect(await store([...twice(begun.requestId), ...twice(randomUUID())])).toEqual([
    'updated processing',
    'duplicate processing',
    'inserted',
    'duplicate',
  ]);
  expect((await rows()).map((row) => [row.state, row.response_body])).toEqual([
    ['completed', 'first'],
    ['completed', 'first'],
  ]);
  expect(await templates()).toHaveLength(2);
});

test('request store: a beginning that comes after its completion changes nothing', async () => {
  const { store, rows } = await aRequestStore();
  const ended = aCompletion();
  await store([ended]);
  expect(await store([aBeginning({ requestId: ended.requestId })])).toEqual(['duplicate completed']);
  expect(await rows()).toMatchObject([{ state: 'completed' }]);
});

test('request store: a thousand replays of one chunk leave one row and one template, and no orphan', async () => {
  const { database, rows, templates, orphans } = await aRequestStore();
  const begun = aBeginning();
  const json = JSON.stringify([begun, aCompletion({ requestId: begun.requestId })]);
  const outcomes: Record<string, number> = {};
  for (let replay = 0; replay < 1_000; replay += 10) {
    const results = await Promise.all(Array.from({ length: 10 }, () => storeRequests(database, json)));
    for (const { outcome, indexes } of results.flat()) outcomes[outcome] = (outcomes[outcome] ?? 0) + indexes.length;
  }
  expect(await rows()).toHaveLength(1);
  expect(await templates()).toHaveLength(1);
  expect(await orphans()).toBe(0);
  expect(outcomes).toEqual({ inserted: 1, duplicate: 1_999 });
});

test('request store: workers that store the same ids at once, in any order, never wait for each other in a ring', async () => {
  const { database, client, rows, orphans } = await aRequestStore({
    SLUICE_DATABASE_POOL_SIZE: '8',
    SLUICE_BATCH_MAX_IN_FLIGHT: '1',
  });
  for (let round = 0; round < 10; round += 1) {
    await client.query('truncate request, request_template');
    const begun = Array.from({ length: 300 }, () => aBeginning());
    // In every other round there are rows to lock, and in the others nothing but inserts, which meet in the middle.
    const running = round % 2 === 0 ? 100 : 0;
    await storeRequests(database, JSON.stringify(begun.slice(0, running)));
    const records = begun.map(({ requestId }) => aCompletion({ requestId }));
    const orders = [records, records.toReversed(), [...records].sort(() => Math.random() - 0.5)];
    const counts: Record<string, number> = {};
    /** As a worker: what another one holds is tried again. */
    const storeAll = async (order: readonly unknown[]): Promise<void> => {
      for (let left = order; left.length > 0; ) {
        const ended = await storeRequests(database, JSON.stringify(left));
        for (const { outcome, indexes } of ended)
          if (outcome !== 'locked') counts[outcome] = (counts[outcome] ?? 0) + indexes.length;
        const locked = ended.filter(({ outcome }) => outcome === 'locked').flatMap(({ indexes }) => indexes);
        left = left.filter((_record, index) => locked.includes(index));
      }
    };
    await Promise.all([...orders, ...orders].map(storeAll));
    expect(counts).toEqual({ inserted: 300 - running, ...(running > 0 && { updated: running }), duplicate: 1_500 });
    expect((await rows()).map(({ state }) => state)).toEqual(Array(300).fill('completed'));
  }
  expect(await orphans()).toBe(0);
  const { rows: stats } = await client.query<{ n: number }>(
    'select deadlocks::int as n from pg_stat_database where datname = current_database()',
  );
  expect(stats).toEqual([{ n: 0 }]);
});

test('request store: a completion whose row is inserted while it runs ends that row', async () => {
  const { store, rows, client, databaseUrl } = await aRequestStore();
  const begun = aBeginning();
  const id = begun.requestId;
  await client.query('begin');
  await client.query(
    `insert into request_template (id, method, path, model, body, body_encoding, body_byte_size, body_cut, created_at)
     values ($1, 'POST', '/', 'm', '', 'utf8', 0, false, now())`,
    [id],
  );
  await client.query(
    `insert into request (id, template_id, state, model, service_tier, created_by, daemon_id, created_at, claimed_at, started_at)
     values ($1, $1, 'processing', 'm', 'priority', 'user-1', $1, now(), now(), now())`,
    [id],
  );
  const stored = store([aCompletion(), aCompletion({ requestId: id }), aCompletion()]);
  await untilBlocked(databaseUrl);
  await client.query('commit');
  expect(await stored).toEqual(['inserted', 'updated processing', 'inserted']);
  expect((await rows()).map(({ state }) => state)).toEqual(['completed', 'completed', 'completed']);
});

test.each([
  ['canceled', stateColumns['canceled'], 'duplicate canceled'],
  ['changed', `notes = 'changed meanwhile'`, 'updated processing'],
])(
  'request store: a completion whose row is just being %s waits alone, and goes by what came of it',
  async (_what, change, outcome) => {
    const { store, rows, client } = await aRequestStore();
    const begun = aBeginning();
    await store([begun]);
    await client.query('begin');
    await client.query(`update request set ${change}`);
    const ended = aCompletion({ requestId: begun.requestId });
    expect(
      await store([aCompletion(), ended, begun, aCompletion({ ...ended, createdBy: 'thief' }), aCompletion()]),
    ).toEqual(['inserted', 'locked processing', 'locked processing', 'locked processing', 'inserted']);
    await client.query('commit');
    expect(await store([ended])).toEqual([outcome]);
    expect(await rows()).toHaveLength(3);
  },
);

test.each([
  ['processing', 'processing', `notes = 'changed meanwhile'`],
  ['pending', 'processing', `state = 'processing', daemon_id = id, claimed_at = now(), started_at = now()`],
])('request store: a row that was %s and is %s when its lock is free is ended', async (before, after, change) => {
  const { store, rows, client } = await aRequestStore();
  const begun = aBeginning();
  await store([begun]);
  await client.query(`update request set ${stateColumns[before]}`);
  await client.query('begin');
  await client.query(`update request set ${change}`);
  const ended = aCompletion({ requestId: begun.requestId, responseBody: 'the answer' });
  expect(await store([aCompletion({ responseBody: 'another' }), ended])).toEqual(['inserted', `locked ${before}`]);
  await client.query('commit');
  expect(await store([ended])).toEqual([`updated ${after}`]);
  expect((await rows()).find(({ id }) => id === begun.requestId)).toMatchObject({
    state: 'completed',
    response_body: 'the answer',
    response_status: 200,
    completed_at: new Date(ended.completedAt),
  });
});

test('request store: a row that has ended is not held, whoever holds it', async () => {
  const { store, client } = await aRequestStore();
  const ended = aCompletion();
  await store([ended]);
  await client.query('begin');
  await client.query('select from request for update');
  expect(await store([ended, aCompletion()])).toEqual(['duplicate completed', 'inserted']);
});

test('request store: a tombstone that somebody holds counts, and is not waited for', async () => {
  const { store, rows, client } = await aRequestStore();
  const deleted = aCompletion();
  await client.query('insert into request_tombstone (id) values ($1)', [deleted.requestId]);
  await client.query('begin');
  await client.query('delete from request_tombstone');
  expect(await store([deleted, aCompletion()])).toEqual(['tombstoned', 'inserted']);
  expect(await rows()).toHaveLength(1);
});

test('request store: what was deleted or erased is not stored any more, but for what its creator did later', async () => {
  const { store, rows, templates, client } = await aRequestStore();
  const deleted = aCompletion();
  await client.query('insert into request_tombstone (id) values ($1)', [deleted.requestId]);
  await client.query(`insert into creator_erasure values (sha256('gone'), '2026-03-01T12:00:00Z')`);
  const by = { createdBy: 'gone' };
  expect(
    await store([
      deleted,
      deleted,
      aCompletion(by),
      aCompletion({ ...by, startedAt: '2026-03-01T12:00:00.001Z' }),
      aBeginning(by),
      aCompletion(),
    ]),
  ).toEqual(['tombstoned', 'tombstoned', 'tombstoned', 'inserted', 'tombstoned', 'inserted']);
  expect((await rows()).map((row) => row.created_by).sort()).toEqual(['gone', 'user-1']);
  expect(await templates()).toHaveLength(2);
});

const bodies: [name: string, body: string][] = [
  ['of ten megabytes', `{"text":"${'größe 大 '.repeat(800_000)}"}`],
  ['that is empty', ''],
  ['in base64', Buffer.from([0, 255, 254, 0, 31, 139]).toString('base64')],
  ['of raw events', 'data: {"delta":"a\\u0000b"}\n\ndata: [DONE]\r\n\r\n'],
  ['with integers beyond 2^53', '{"id":12345678901234567890,"n":[9007199254740993,1e400,1.10],"x":"\\ud800"}'],
  ['with all that JSON escapes', '"\\/\b\f\n\r\t\u001f\u007f\u2028\u{10ffff}'],
];

test.each(bodies)('request store: bodies %s are stored to the last byte', async (_name, body) => {
  const { store, rows, templates } = await aRequestStore();
  const begun = aBeginning({ requestBody: body });
  await store([begun]);
  await store([
    aCompletion({ requestId: begun.requestId, responseBody: body }),
    aCompletion({ requestBody: body, responseBody: body }),
  ]);
  expect((await rows()).map((row) => row.response_body === body)).toEqual([true, true]);
  expect((await templates()).map((row) => row.body === body)).toEqual([true, true]);
  expect((await rows()).map((row) => Number(row.response_size))).toEqual(Array(2).fill(Buffer.byteLength(body)));
});
