import { expect, test } from 'vitest';
import { createFactsTask } from '../../../workers/maintenance/facts-task.ts';
import { connect } from '../../support/fixtures.ts';
import { maintenanceDeps } from '../../support/maintenance.ts';
import { streamedAnswers, wholeAnswers } from '../../support/model-answers.ts';
import { aBeginning, aCompletion, aRequestStore } from '../../support/requests.ts';

const signal = new AbortController().signal;
const factColumns =
  'provider, api, input_tokens, cached_tokens, output_tokens, reasoning_tokens, finish_reason, tool_calls, facts_version';

/** Puts rows back to what a worker without the columns would have stored. */
const unread = `update request set ${factColumns
  .split(', ')
  .map((column) => `${column} = null`)
  .join(', ')}`;

async function setUp() {
  const place = await aRequestStore();
  const { deps } = await maintenanceDeps({}, place.databaseUrl);
  const read: number[] = [];
  const facts = async () =>
    (await place.client.query(`select id, ${factColumns}, updated_at, stored_at from request order by id`)).rows;
  return { ...place, task: createFactsTask({ ...deps, onFactsRead: (rows) => read.push(rows) }), read, facts };
}

const answers = [
  ...wholeAnswers,
  ...streamedAnswers.map(({ stream, ...rest }) => ({ ...rest, body: stream, statusCode: 200 })),
].map(({ body, endpoint, model, statusCode }) =>
  aCompletion({ responseBody: body, endpoint, model, statusCode, requestBody: '{"provider":"p"}' }),
);

test('facts task: rows that no worker has read come to what a worker stores, and nothing else of them changes', async () => {
  const { client, task, store, facts, read } = await setUp();
  await store([...answers, aCompletion({ responseEncoding: 'base64', responseBody: 'AAEC' })]);
  const stored = await facts();
  expect(await task.preview()).toEqual({ wouldRead: 0 });
  expect(await task.run(signal)).toEqual({ outcome: 'done', read: 0, isMore: false });
  await client.query(unread);
  expect(await task.preview()).toEqual({ wouldRead: stored.length });
  expect(await task.run(signal)).toEqual({ outcome: 'done', read: stored.length, isMore: false });
  expect(await facts()).toEqual(stored);
  expect(read.reduce((sum, rows) => sum + rows, 0)).toBe(stored.length);
});

test('facts task: a provider that the sender gave stays; requests that run, or that somebody holds, are left for later', async () => {
  const { client, databaseUrl, task, store, facts } = await setUp();
  const [given, held] = [aCompletion({ provider: 'mine' }), aCompletion()];
  await store([given, held, aBeginning({ provider: 'ours' })]);
  await client.query('update request set facts_version = null');
  const holder = await connect(databaseUrl);
  await holder.query('begin');
  await holder.query('select from request where id = $1 for update', [held.requestId]);
  expect(await task.run(signal)).toEqual({ outcome: 'done', read: 1, isMore: false });
  await holder.query('rollback');
  expect(await task.run(signal)).toEqual({ outcome: 'done', read: 1, isMore: false });
  const rows = await facts();
  expect(rows.map(({ provider, facts_version: version }) => [provider, version]).sort()).toEqual([
    [null, 1],
    ['mine', 1],
    ['ours', null],
  ]);
});

test('facts task: many go in batches by their number and their bytes; asked to stop, it ends after one', async () => {
  const { client, deps, task, store, read, facts } = await (async () => {
    const place = await setUp();
    const { deps } = await maintenanceDeps({}, place.databaseUrl);
    return { ...place, deps };
  })();
  const large = `{"object":"chat.completion","x":"${'y'.repeat(3_000_000)}"}`;
  await store(Array.from({ length: 600 }, () => aCompletion()));
  await store(
    Array.from({ length: 4 }, () => aCompletion({ responseBody: large, startedAt: '2026-03-01T12:00:01.000Z' })),
  );
  await client.query('update request set facts_version = null');
  const stop = new AbortController();
  const stopping = createFactsTask({ ...deps, onFactsRead: () => stop.abort() });
  expect(await stopping.run(stop.signal)).toEqual({ outcome: 'interrupted', read: 3, isMore: true });
  expect(await task.run(signal)).toEqual({ outcome: 'done', read: 601, isMore: false });
  expect(read).toEqual([500, 101]);
  expect((await facts()).every(({ facts_version: version }) => version === 1)).toBe(true);
});

test('facts task: two at once read each row once, beside new requests', async () => {
  const { client, task, store } = await setUp();
  await store(Array.from({ length: 1_500 }, () => aCompletion()));
  await client.query('update request set facts_version = null');
  const [one, other, outcomes] = await Promise.all([
    task.run(signal),
    task.run(signal),
    store(Array.from({ length: 100 }, () => aCompletion())),
  ]);
  expect(one.read + other.read).toBe(1_500);
  expect(new Set(outcomes)).toEqual(new Set(['inserted']));
  expect(await task.preview()).toEqual({ wouldRead: 0 });
});
