import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { deleteRequest } from '../../../erasure/delete-request.ts';
import { listRequests } from '../../../queries/requests/list-requests.ts';
import { findBody, findRequest, withBody } from '../../../queries/requests/requests.ts';
import { toDeadLetterKey } from '../../../shared/contracts/dead-letter-key.ts';
import { UsageError } from '../../../shared/platform/errors.ts';
import { aBeginning, aCompletion, aRequestStore, stateColumns } from '../../support/requests.ts';

test('request: a completed one is found with both bodies, their sizes and its times', async () => {
  const { reader, store } = await aRequestStore();
  const record = aCompletion({
    requestBody: 'asked',
    responseBody: 'c2VudA==',
    responseEncoding: 'base64',
    responseBytes: 4,
    isStream: true,
    apiKeyHash: '0f'.repeat(32),
  });
  await store([record]);
  expect(await findRequest(reader, record.requestId)).toEqual({
    id: record.requestId,
    state: 'completed',
    model: 'gpt-5',
    serviceTier: 'priority',
    createdBy: 'user-1',
    method: 'POST',
    path: '/v1/responses',
    apiKeyHash: '0f'.repeat(32),
    request: { body: 'asked', encoding: 'utf8', bytes: 5, isCut: false, leftOutChars: 0 },
    response: {
      status: 200,
      body: 'c2VudA==',
      encoding: 'base64',
      bytes: 4,
      isCut: false,
      leftOutChars: 0,
      isStream: true,
      isIncomplete: false,
    },
    error: null,
    notes: null,
    traceId: null,
    spanId: null,
    createdAt: new Date(record.startedAt),
    storedAt: expect.any(Date),
    startedAt: new Date(record.startedAt),
    completedAt: new Date(record.completedAt),
    failedAt: null,
    canceledAt: null,
    facts: {
      provider: null,
      api: 'openai-responses',
      inputTokens: null,
      cachedTokens: null,
      outputTokens: null,
      reasoningTokens: null,
      finishReason: null,
      toolCalls: null,
      firstTokenAt: null,
      cost: null,
    },
  });
});

test('request: what its bodies say is there, with the cost by the prices of its time', async () => {
  const { reader, store, client } = await aRequestStore();
  const usage = { input_tokens: 1_000, input_tokens_details: { cached_tokens: 400 }, output_tokens: 500 };
  const responseBody = JSON.stringify({ object: 'response', status: 'completed', output: [], usage });
  const record = aCompletion({ responseBody });
  await store([record]);
  expect((await findRequest(reader, record.requestId))?.facts).toMatchObject({ inputTokens: 1_000, cost: null });
  await client.query(
    `insert into price (model, valid_from, valid_until, currency, input, cached_input, output, source)
     values ('gpt-5', '2026-01-01', '2026-06-01', 'USD', 1.25, 0.125, 10, 'test'), ('gpt-5', '2026-06-01', null, 'USD', 9, 9, 9, 'test')`,
  );
  expect((await findRequest(reader, record.requestId))?.facts).toMatchObject({
    api: 'openai-responses',
    inputTokens: 1_000,
    cachedTokens: 400,
    outputTokens: 500,
    finishReason: 'completed',
    toolCalls: 0,
    cost: { currency: 'USD', amount: '0.0058' },
  });
});

test('request: only as much of its bodies as is asked for, each character whole, and all of it as its bytes', async () => {
  const { reader, store } = await aRequestStore();
  const bytes = Buffer.from([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  const record = aCompletion({
    requestBody: 'abc😀def',
    responseBody: bytes.toString('base64'),
    responseEncoding: 'base64',
    responseBytes: bytes.length,
  });
  await store([record]);
  const found = await findRequest(reader, record.requestId, { maxBodyChars: 4 });
  expect(found?.request).toMatchObject({ body: 'abc', leftOutChars: 5, isCut: false });
  expect(found?.response).toMatchObject({ body: 'AAEC', leftOutChars: 12 });
  expect(await findBody(reader, record.requestId, 'request')).toEqual(Buffer.from('abc😀def'));
  expect(await findBody(reader, record.requestId, 'response')).toEqual(bytes);
  expect(await findBody(reader, randomUUID(), 'request')).toBeNull();
});

test('request: the failure of a failed one has the status and the body, as the original has it', async () => {
  const { reader, store } = await aRequestStore();
  const body = '{"error":{"message":"no money","n":12345678901234567890}}';
  const record = aCompletion({ statusCode: 402, responseBody: body });
  await store([record]);
  const found = await findRequest(reader, record.requestId);
  expect(found).toMatchObject({ state: 'failed', completedAt: null, failedAt: new Date(record.completedAt) });
  expect(JSON.parse(found?.error ?? '')).toEqual({ type: 'NonRetriableHttpStatus', details: { status: 402, body } });
});

test('request: one that runs has no response, and an unknown id finds nothing', async () => {
  const { reader, store } = await aRequestStore();
  const begun = aBeginning();
  await store([begun]);
  expect(await findRequest(reader, begun.requestId)).toMatchObject({
    state: 'processing',
    response: null,
    error: null,
  });
  expect(await findRequest(reader, randomUUID())).toBeNull();
});

test.each([
  ['Upstream returned 502', 'x', 'Upstream returned 502'],
  ['{"type":"Timeout"}', 'x', '{"type":"Timeout"}'],
  ['null', 'x', 'null'],
  [
    '{"type":"NonRetriableHttpStatus","details":{"status":500}}',
    null,
    '{"type":"NonRetriableHttpStatus","details":{"status":500}}',
  ],
  [
    '{"type":"NonRetriableHttpStatus","details":{"status":500}}',
    '',
    '{"type":"NonRetriableHttpStatus","details":{"status":500,"body":""}}',
  ],
])('failure %s with the body %j is %s', (error, body, expected) => {
  expect(withBody(error, body)).toBe(expected);
});

const at = (second: number): string => new Date(Date.UTC(2026, 2, 1, 12, 0, second)).toISOString();

/** Requests one a second, each in a way of its own. */
async function aMixedStore() {
  const opened = await aRequestStore();
  const records = {
    old: aCompletion({ startedAt: at(0), completedAt: at(1) }),
    failed: aCompletion({ startedAt: at(1), statusCode: 503, completedAt: at(3) }),
    refused: aCompletion({ startedAt: at(2), statusCode: 402, createdBy: 'user-2' }),
    otherModel: aCompletion({ startedAt: at(3), model: 'small' }),
    flex: aCompletion({ startedAt: at(4), serviceTier: 'flex', createdBy: 'user-2' }),
    pending: aBeginning({ startedAt: at(5) }),
    claimed: aBeginning({ startedAt: at(6) }),
    running: aBeginning({ startedAt: at(7), createdBy: 'user-2' }),
    canceled: aBeginning({ startedAt: at(8) }),
    redirected: aCompletion({ startedAt: at(9), statusCode: 302 }),
  };
  await opened.store(Object.values(records));
  for (const name of ['pending', 'claimed', 'canceled'] as const) {
    await opened.client.query(`update request set ${stateColumns[name]} where id = $1`, [records[name].requestId]);
  }
  const nameOf = (id: string): string =>
    Object.entries(records).find(([, { requestId }]) => requestId === id)?.[0] ?? id;
  return { ...opened, records, nameOf };
}

const inOrder = [
  'running',
  'claimed',
  'pending',
  'redirected',
  'canceled',
  'flex',
  'otherModel',
  'refused',
  'failed',
  'old',
];

test('request list: what is being worked on comes first, state by state, then what has ended, the newest first', async () => {
  const { reader, nameOf } = await aMixedStore();
  const { requests, cursor } = await listRequests(reader, { limit: 200 });
  expect(requests.map(({ id }) => nameOf(id))).toEqual(inOrder);
  expect(cursor).toBeNull();
});

test('request list: a row tells all but the bodies', async () => {
  const { reader, records } = await aMixedStore();
  const { requests } = await listRequests(reader, { filter: { statusClass: '5xx' }, limit: 1 });
  expect(requests).toEqual([
    {
      id: records.failed.requestId,
      state: 'failed',
      model: 'gpt-5',
      serviceTier: 'priority',
      createdBy: 'user-1',
      responseStatus: 503,
      responseBytes: 13,
      isStream: false,
      isIncomplete: false,
      createdAt: new Date(at(1)),
      startedAt: new Date(at(1)),
      completedAt: null,
      failedAt: new Date(at(3)),
      durationMs: 2_000,
      notes: null,
      traceId: null,
      spanId: null,
    },
  ]);
});

test('request list: each filter keeps what it names, and together they keep what all of them keep', async () => {
  const { reader, nameOf } = await aMixedStore();
  const listed = async (filter: Parameters<typeof listRequests>[1]['filter']): Promise<string[]> =>
    (await listRequests(reader, { ...(filter === undefined ? {} : { filter }), limit: 200 })).requests.map(({ id }) =>
      nameOf(id),
    );
  const table: [Parameters<typeof listed>[0], string[]][] = [
    [{}, inOrder],
    [{ createdBy: 'user-2' }, ['running', 'flex', 'refused']],
    [{ createdBy: 'nobody' }, []],
    [{ model: 'small' }, ['otherModel']],
    [{ statusClass: '2xx' }, ['flex', 'otherModel', 'old']],
    [{ statusClass: '3xx' }, ['redirected']],
    [{ statusClass: '4xx' }, ['refused']],
    [{ statusClass: '5xx' }, ['failed']],
    [{ serviceTier: 'flex' }, ['flex']],
    [{ state: 'processing' }, ['running']],
    [{ state: 'pending' }, ['pending']],
    [{ state: 'completed' }, ['flex', 'otherModel', 'old']],
    [{ state: 'failed' }, ['redirected', 'refused', 'failed']],
    [{ state: 'canceled' }, ['canceled']],
    [{ from: new Date(at(8)) }, ['redirected', 'canceled']],
    [{ until: new Date(at(1)) }, ['old']],
    [
      { from: new Date(at(1)), until: new Date(at(7)) },
      ['claimed', 'pending', 'flex', 'otherModel', 'refused', 'failed'],
    ],
    [{ createdBy: 'user-2', statusClass: '2xx', serviceTier: 'flex', state: 'completed', model: 'gpt-5' }, ['flex']],
  ];
  for (const [filter, names] of table) expect([filter, await listed(filter)]).toEqual([filter, names]);
});

test('request list: an empty table is one empty page', async () => {
  const { reader } = await aRequestStore();
  expect(await listRequests(reader, { limit: 10 })).toEqual({ requests: [], cursor: null });
});

test('request list: five requests in pages of two are two, two and one', async () => {
  const { reader, store } = await aRequestStore();
  await store([0, 1, 2, 3, 4].map((second) => aCompletion({ startedAt: at(second) })));
  const sizes: number[] = [];
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof listRequests>> = await listRequests(reader, { limit: 2, cursor });
    sizes.push(page.requests.length);
    cursor = page.cursor;
  } while (cursor !== null);
  expect(sizes).toEqual([2, 2, 1]);
});

test.each([0, -1, 201, 1.5, Number.NaN])('request list: a limit of %d is refused', async (limit) => {
  const { reader } = await aRequestStore();
  await expect(listRequests(reader, { limit })).rejects.toThrow(
    new UsageError(`limit is ${limit}; accepted: 1 to 200`),
  );
});

test('request delete: row, body and dead letters go, a tombstone stays, and what was in the queue is not stored', async () => {
  const { database, client, store, rows, templates } = await aRequestStore();
  const [begun, kept] = [aBeginning(), aCompletion()];
  await store([begun, kept]);
  const deadLettersOf = (name: string) => ['{}', '{"a":1}'].map((payload) => toDeadLetterKey(name, payload));
  const doomed = [begun.requestId, `begun:${begun.requestId}`].flatMap(deadLettersOf);
  for (const key of [...doomed, ...deadLettersOf(kept.requestId)]) {
    await client.query(
      `insert into dead_letter (queue, record_key, payload, code, reason, signature) values ('completed-request', $1, '{}', 'c', 'r', 's')`,
      [key],
    );
  }
  expect(await deleteRequest(database, begun.requestId)).toBe('deleted');
  expect(await rows()).toMatchObject([{ id: kept.requestId }]);
  expect(await templates()).toHaveLength(1);
  const { rows: left } = await client.query('select record_key from dead_letter');
  expect(left.map(({ record_key }) => record_key).sort()).toEqual(deadLettersOf(kept.requestId).sort());

  expect(await store([aCompletion({ requestId: begun.requestId })])).toEqual(['tombstoned']);
  expect(await deleteRequest(database, begun.requestId)).toBe('not-found');
  expect(await rows()).toHaveLength(1);
});

test('request delete: an unknown id is not found, and its record is not stored when it comes later', async () => {
  const { database, store } = await aRequestStore();
  const late = aCompletion();
  expect(await deleteRequest(database, late.requestId)).toBe('not-found');
  expect(await store([late])).toEqual(['tombstoned']);
});

test('request delete: for a creator somebody else’s request is not found, and nothing of it is touched, now or later', async () => {
  const { database, store, rows } = await aRequestStore();
  const [here, late] = [aCompletion(), aCompletion()];
  await store([here]);
  for (const { requestId } of [here, late]) {
    expect(await deleteRequest(database, requestId, { createdBy: 'stranger' })).toBe('not-found');
  }
  expect(await store([here, late])).toEqual(['duplicate completed', 'inserted']);
  expect(await deleteRequest(database, here.requestId, { createdBy: 'user-1' })).toBe('deleted');
  expect(await rows()).toHaveLength(1);
});
