import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import type { Client } from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { captureBegunRequest, captureCompletedRequest } from '../../../producers/requests/request-record.ts';
import { loadConfig } from '../../../shared/platform/config/config.ts';
import { createDatabase, type Database } from '../../../shared/platform/postgres/database.ts';
import { completedRequestQueue } from '../../../workers/completed-requests/queue.ts';
import { executionLogQueue } from '../../../workers/execution-log/queue.ts';
import type { QueueDefinition } from '../../../workers/ingest/queue-definition.ts';
import { anyText, anyValue } from '../../support/any-value.ts';
import { recordText } from '../../support/execution-fleet.ts';
import { connect, createTestDatabase } from '../../support/fixtures.ts';
import { streamedAnswers, wholeAnswers } from '../../support/model-answers.ts';
import { aRequest } from '../../support/request.ts';
import { chunkText, rowsOf, settleChunk, withoutCopy } from '../../support/settle-chunk.ts';

/** Two databases of the same shape: what one gets by COPY, the other gets by the statement. */
async function twoDatabases() {
  const open = async () => {
    const url = await createTestDatabase();
    const database = createDatabase(loadConfig({ DATABASE_URL: url }).database, 'test');
    onTestFinished(() => database.$disconnect());
    return { database, client: await connect(url) };
  };
  return Promise.all([open(), open()]);
}

type Place = { database: Database; client: Client };

const kinds = {
  executions: { definition: executionLogQueue, tables: ['strategy_execution_log'] },
  requests: { definition: completedRequestQueue, tables: ['request', 'request_template'] },
};

/** Settles the chunk in both ways, which must come to the same. @returns what became of it by COPY */
async function settleBoth(
  [one, other]: readonly [Place, Place],
  { definition, tables }: { definition: QueueDefinition; tables: readonly string[] },
  chunk: string,
) {
  const byCopy = await settleChunk(definition, one.database, chunk);
  const byStatement = await settleChunk(withoutCopy(definition), other.database, chunk);
  expect(byStatement.copies).toEqual([]);
  expect(byCopy.outcome).toEqual(byStatement.outcome);
  for (const table of tables) expect(await rowsOf(one.client, table)).toEqual(await rowsOf(other.client, table));
  return byCopy;
}

async function emptied(places: readonly Place[], tables: readonly string[]): Promise<void> {
  for (const { client } of places) await client.query(`truncate ${tables.join(', ')} cascade`);
}

const requestContext = {
  nowMs: Date.now(),
  maxBodyBytes: 10_000,
  hashApiKey: () => 'a'.repeat(64),
  stripRequestKeys: [],
};
const requestText = (overrides: Parameters<typeof aRequest>[0] = {}): string =>
  captureCompletedRequest(aRequest(overrides), requestContext).write().json;
const beginningText = (overrides: Parameters<typeof aRequest>[0] = {}): string =>
  captureBegunRequest(aRequest(overrides), requestContext).write().json;

/** A text with all that JSON escapes and all that COPY does. */
const nasty =
  'tab\t, lines\r\n\f\b, \\N, \\., \\t, \\x41, \\101, "quotes", /, é, 日本, 😀, \u2028, \u007f, null, {a,b}';

test('copy: every column of an execution gets the same value as by the statement', async () => {
  const places = await twoDatabases();
  const texts = [
    recordText(1),
    recordText(2, { status: 'error', errorMessage: nasty, errorCode: nasty, points: -1e-7, realmId: nasty }),
    recordText(3, {
      trace: [{ nodeId: nasty, type: 'field', value: { [nasty]: [nasty, 1e300, 12345678901234567890n, null] } }],
    }),
    recordText(4, { trace: null, input: null, points: null, caseName: null, realmId: null, durationMs: 0 }),
    recordText(5, { trace: [], input: nasty, traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), attempt: 3 }),
    recordText(6, { input: [[], {}, '', false, 0], externalUserId: '' }),
  ];
  const { copies, outcome } = await settleBoth(places, kinds.executions, chunkText(texts));
  expect(copies).toEqual(['{"stored":6,"duplicate":0}']);
  expect(outcome).toMatchObject({ kind: 'settled', producer: 'p-1', records: 6, dead: [], odd: 0 });
});

test('copy: every column of a request and of its template gets the same value as by the statement', async () => {
  const places = await twoDatabases();
  const texts = [
    requestText(),
    requestText({ requestBody: nasty, responseBody: nasty, model: nasty, endpoint: nasty }),
    requestText({ statusCode: 500, apiKey: 'secret', isStream: true, isIncomplete: true, serviceTier: 'flex' }),
    requestText({ statusCode: 299, responseBody: Buffer.from([0, 255, 1]), requestBody: 'x'.repeat(20_000) }),
    requestText({ requestBody: '', responseBody: '', traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) }),
    beginningText(),
  ];
  const { copies } = await settleBoth(places, kinds.requests, chunkText(texts));
  expect(copies).toEqual(['{"inserted":6,"duplicate":0}']);
});

test('copy: what the bodies say is the same as by the statement, as is what a request gets that was begun before', async () => {
  const places = await twoDatabases();
  const answers = [
    ...wholeAnswers,
    ...streamedAnswers.map(({ stream, ...rest }) => ({ ...rest, body: stream, statusCode: 200 })),
  ];
  const requests = answers.map(({ body, endpoint, model, statusCode }, index) => ({
    ...{ requestId: randomUUID(), responseBody: body, endpoint, model, statusCode },
    requestBody: '{"provider":"openai"}',
    ...(index % 5 === 0 && { provider: 'a "proxy"\t\\' }),
    ...(index % 3 === 0 && { firstTokenAt: Date.UTC(2026, 0, 2, 3, 4, 5, 300) }),
  }));
  const { copies } = await settleBoth(places, kinds.requests, chunkText(requests.map(requestText)));
  expect(copies).toEqual([`{"inserted":${requests.length},"duplicate":0}`]);
  const columns = `api, input_tokens::int as "inputTokens", cached_tokens::int as "cachedTokens", output_tokens::int as "outputTokens",
    reasoning_tokens::int as "reasoningTokens", finish_reason as "finishReason", tool_calls as "toolCalls"`;
  const factsOf = async (id: string) =>
    (await places[0].client.query(`select ${columns} from request where id = $1`, [id])).rows[0];
  for (const [index, { requestId }] of requests.entries()) {
    const { provider, ...facts } = (answers[index] as (typeof answers)[number]).facts;
    expect(await factsOf(requestId)).toEqual(facts);
  }

  const atOnce = await rowsOf(places[0].client, 'request');
  await emptied(places, kinds.requests.tables);
  const begun = requests.map(({ requestId, endpoint, model, requestBody }) =>
    beginningText({ requestId, endpoint, model, requestBody }),
  );
  await settleBoth(places, kinds.requests, chunkText(begun));
  const { rows: running } = await places[0].client.query('select from request where facts_version is not null');
  expect(running).toEqual([]);
  const ended = await settleBoth(places, kinds.requests, chunkText(requests.map(requestText)));
  expect(ended.copies).toEqual(['23505']);
  expect(await rowsOf(places[0].client, 'request')).toEqual(atOnce);
});

test('copy: a provider that a beginning names stays, unless the end names another one', async () => {
  const places = await twoDatabases();
  const [kept, changed] = [randomUUID(), randomUUID()];
  const begun = [kept, changed].map((requestId) => beginningText({ requestId, provider: 'first' }));
  expect((await settleBoth(places, kinds.requests, chunkText(begun))).copies).toEqual(['{"inserted":2,"duplicate":0}']);
  const ends = [requestText({ requestId: kept }), requestText({ requestId: changed, provider: 'second' })];
  await settleBoth(places, kinds.requests, chunkText(ends));
  const { rows } = await places[0].client.query('select id, provider from request');
  expect(new Map(rows.map(({ id, provider }) => [id, provider]))).toEqual(
    new Map([
      [kept, 'first'],
      [changed, 'second'],
    ]),
  );
});

test('copy: records that are there already go by the statement, which leaves them alone', async () => {
  const places = await twoDatabases();
  const [first, second] = [recordText(1), recordText(2)];
  await settleBoth(places, kinds.executions, chunkText([second]));
  const { copies } = await settleBoth(places, kinds.executions, chunkText([first, second]));
  expect(copies).toEqual(['23505']);
  const ids = [randomUUID(), randomUUID()];
  await settleBoth(places, kinds.requests, chunkText(ids.map((requestId) => beginningText({ requestId }))));
  const ended = await settleBoth(places, kinds.requests, chunkText(ids.map((requestId) => requestText({ requestId }))));
  expect(ended.copies).toEqual(['23505']);
});

test('copy: what was erased or deleted is not stored', async () => {
  const places = await twoDatabases();
  const requestId = randomUUID();
  for (const { client } of places) {
    await client.query(
      `insert into subject_erasure (kind, subject_hash, erased_before)
       values ('user', sha256(convert_to('gone', 'UTF8')), now() + interval '1 hour')`,
    );
    await client.query('insert into request_tombstone (id) values ($1)', [requestId]);
  }
  const executions = [recordText(1, { externalUserId: 'gone' }), recordText(2)];
  expect((await settleBoth(places, kinds.executions, chunkText(executions))).copies).toEqual(['vetoed']);
  expect(await rowsOf(places[0].client, 'strategy_execution_log')).toHaveLength(1);
  const requests = [requestText({ requestId }), requestText()];
  expect((await settleBoth(places, kinds.requests, chunkText(requests))).copies).toEqual(['vetoed']);
  expect(await rowsOf(places[0].client, 'request')).toHaveLength(1);
  const [{ client }] = places;
  await client.query(
    `insert into creator_erasure (creator_hash, erased_before) values (sha256(convert_to('user-1', 'UTF8')), now())`,
  );
  await places[1].client.query(
    `insert into creator_erasure (creator_hash, erased_before) values (sha256(convert_to('user-1', 'UTF8')), now())`,
  );
  expect((await settleBoth(places, kinds.requests, chunkText([requestText()]))).copies).toEqual(['vetoed']);
});

test('copy: any execution and any request come to the same as by the statement', async () => {
  const places = await twoDatabases();
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ text: anyText, value: anyValue, number: fc.double() }), { minLength: 1, maxLength: 4 }),
      async (all) => {
        for (const { tables } of Object.values(kinds)) await emptied(places, tables);
        const executions = all.map(({ text, value, number }, index) =>
          recordText(index, {
            ...{ status: 'error', errorMessage: text, caseName: text, points: number, durationMs: number },
            ...{ trace: [value] as never, input: value },
          }),
        );
        await settleBoth(places, kinds.executions, chunkText(executions));
        const requests = all.map(({ text }) => requestText({ model: text, requestBody: text, responseBody: text }));
        await settleBoth(places, kinds.requests, chunkText(requests));
      },
    ),
    { numRuns: 40 },
  );
}, 120_000);

test('copy: a chunk that somebody has changed anywhere comes to the same as by the statement', async () => {
  const places = await twoDatabases();
  const change = fc.record({
    at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    deleted: fc.nat(3),
    inserted: fc.oneof(
      fc.constantFrom(
        '',
        '\t',
        '\n',
        ',',
        '"',
        '\\',
        '\\u0000',
        '\\ud800',
        '{',
        '}',
        ']',
        '0',
        '-',
        'null',
        'e9',
        ' ',
        '\r',
      ),
      fc.constantFrom(
        ',\t"input":1',
        ',\n{}',
        '","trace":[',
        ',\t"trace":[2]',
        '\\x',
        ',"realmId":"x"',
        ']}',
        '"records":[',
        '\u0001',
      ),
    ),
  });
  const chunks = {
    executions: () =>
      chunkText([
        recordText(1),
        recordText(2, { status: 'error', errorMessage: 'a "b" \\ \n' }),
        recordText(3, { input: ['\\', nasty] }),
      ]),
    requests: () => chunkText([requestText(), requestText({ responseBody: nasty, statusCode: 404 }), beginningText()]),
  };
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('executions' as const, 'requests' as const),
      fc.array(change, { minLength: 1, maxLength: 2 }),
      async (kind, changes) => {
        await emptied(places, kinds[kind].tables);
        let chunk = chunks[kind]();
        for (const { at, deleted, inserted } of changes) {
          const place = Math.floor(at * chunk.length);
          chunk = chunk.slice(0, place) + inserted + chunk.slice(place + deleted);
        }
        await settleBoth(places, kinds[kind], chunk);
      },
    ),
    { numRuns: 150 },
  );
}, 120_000);
