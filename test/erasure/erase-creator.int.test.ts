import { expect, test } from 'vitest';
import { eraseCreator } from '../../erasure/erase-creator.ts';
import { aBeginning, aCompletion, aRequestStore } from '../support/requests.ts';

const by = (createdBy: string, count: number) => Array.from({ length: count }, () => aCompletion({ createdBy }));

async function aStoreWith(theirs: number, others: number) {
  const opened = await aRequestStore();
  if (theirs + others > 0) await opened.store([...by('gone', theirs), ...by('stays', others)]);
  const counts = async () => ({ rows: (await opened.rows()).length, templates: (await opened.templates()).length });
  return { ...opened, counts };
}

test('erasure: a creator’s requests and bodies go in chunks, everybody else’s stay', async () => {
  const { database, counts, rows } = await aStoreWith(25, 7);
  const progress: number[] = [];
  const erased = await eraseCreator(database, 'gone', {
    chunk: 10,
    onProgress: ({ requests }) => progress.push(requests),
  });
  expect(erased).toEqual({ requests: 25, deadLetters: 0, isDone: true });
  expect(progress).toEqual([10, 20, 25, 25, 25]);
  expect(await counts()).toEqual({ rows: 7, templates: 7 });
  expect(new Set((await rows()).map(({ created_by }) => created_by))).toEqual(new Set(['stays']));
});

test.each([0, -1, 0.5, Number.NaN])('erasure: in chunks of %d nothing happens, and nothing is noted', async (chunk) => {
  const { database, counts, client } = await aStoreWith(3, 0);
  expect(await eraseCreator(database, 'gone', { chunk })).toEqual({ requests: 0, deadLetters: 0, isDone: false });
  expect(await counts()).toEqual({ rows: 3, templates: 3 });
  expect((await client.query('select from creator_erasure')).rowCount).toBe(0);
});

test('erasure: of somebody who never was it is done at once, and again', async () => {
  const { database } = await aStoreWith(0, 1);
  for (const _ of [1, 2]) {
    expect(await eraseCreator(database, 'gone', { chunk: 10 })).toEqual({ requests: 0, deadLetters: 0, isDone: true });
  }
});

test('erasure: broken off after any chunk, what came until then is not stored any more, and the next call ends it', async () => {
  const { database, counts, store } = await aStoreWith(25, 2);
  const breaking = new AbortController();
  const first = await eraseCreator(database, 'gone', {
    chunk: 10,
    signal: breaking.signal,
    onProgress: () => breaking.abort(),
  });
  expect(first).toEqual({ requests: 10, deadLetters: 0, isDone: false });
  expect(await store(by('gone', 1))).toEqual(['tombstoned']);
  expect(await counts()).toEqual({ rows: 17, templates: 17 });
  expect(await eraseCreator(database, 'gone', { chunk: 10 })).toEqual({ requests: 15, deadLetters: 0, isDone: true });
  expect(await counts()).toEqual({ rows: 2, templates: 2 });
});

test('erasure: two at once, in any chunks, erase everything once between them', async () => {
  const { database, counts } = await aStoreWith(60, 3);
  const both = await Promise.all([
    eraseCreator(database, 'gone', { chunk: 7.5 }),
    eraseCreator(database, 'gone', { chunk: 5 }),
  ]);
  expect(both.map(({ isDone }) => isDone)).toEqual([true, true]);
  expect(both.reduce((sum, { requests }) => sum + requests, 0)).toBe(60);
  expect(await counts()).toEqual({ rows: 3, templates: 3 });
});

test('erasure: what was running is not completed into being, and what is done afterwards is stored', async () => {
  const { database, store, rows } = await aStoreWith(0, 0);
  const begun = aBeginning({ createdBy: 'gone' });
  await store([begun]);
  await eraseCreator(database, 'gone', { chunk: 10 });
  const startedAt = new Date(Date.now() + 60_000).toISOString();
  expect(
    await store([
      aCompletion({ createdBy: 'gone', requestId: begun.requestId }),
      aCompletion({ createdBy: 'gone', startedAt, completedAt: startedAt }),
    ]),
  ).toEqual(['tombstoned', 'inserted']);
  // Erased again only when it is asked for again.
  expect(await rows()).toHaveLength(1);
});

test('erasure: a row whose time is ahead of the database’s goes too', async () => {
  const { database, store, counts } = await aStoreWith(0, 0);
  const startedAt = new Date(Date.now() + 3_600_000).toISOString();
  await store([aCompletion({ createdBy: 'gone', startedAt, completedAt: startedAt })]);
  expect(await eraseCreator(database, 'gone', { chunk: 10 })).toMatchObject({ requests: 1, isDone: true });
  expect(await counts()).toEqual({ rows: 0, templates: 0 });
});

test('erasure: dead letters of the creator go, however they are written, and everybody else’s stay', async () => {
  const { database, client } = await aStoreWith(0, 0);
  const deadLetters: [payload: string, isTheirs: boolean][] = [
    ['{"createdBy":"gone","requestBody":"a\\u0000b"}', true],
    ['{ "createdBy" : "\\u0067one" }', true],
    ['{"v":1,"records":[{"createdBy":"stays"},{"createdBy":"gone"}]}', true],
    ['not json, of gone', true],
    ['{"createdBy":"stays","requestBody":"{\\"createdBy\\":\\"gone\\"}"}', false],
    ['{"createdBy":"gone-2"}', false],
    ['null', false],
    ['[]', false],
    ...Array.from({ length: 30 }, (): [string, boolean] => ['{"createdBy":"stays"}', false]),
    ...Array.from({ length: 30 }, (): [string, boolean] => ['{"createdBy":"gone","requestBody":"\\ud800"}', true]),
  ];
  for (const [index, [payload]] of deadLetters.entries()) {
    await client.query(
      `insert into dead_letter (queue, record_key, payload, code, reason, signature) values ('completed-request', $1, $2, 'c', 'r', 's')`,
      [String(index), payload],
    );
  }
  await client.query(
    `insert into dead_letter (queue, record_key, payload, code, reason, signature) values ('execution-log', 'x', '{"createdBy":"gone"}', 'c', 'r', 's')`,
  );
  const erased = await eraseCreator(database, 'gone', { chunk: 10 });
  expect(erased).toEqual({ requests: 0, deadLetters: 34, isDone: true });
  const { rows } = await client.query<{ key: string }>('select record_key as key from dead_letter order by key');
  expect(rows.map(({ key }) => key).sort()).toEqual(
    [...deadLetters.flatMap(([, isTheirs], index) => (isTheirs ? [] : [String(index)])), 'x'].sort(),
  );
});
