import { expect, test } from 'vitest';
import { eraseCreator } from '../../erasure/erase-creator.ts';
import type { DisplayName } from '../../names/display-name.ts';
import { findNames, listNames } from '../../names/find-names.ts';
import { createNameBook, nameStrategies } from '../../names/name-book.ts';
import { writeNames } from '../../names/write-names.ts';
import type { Database } from '../../shared/platform/postgres/database.ts';
import { anErasure } from '../support/erasure.ts';
import { untilBlocked } from '../support/fixtures.ts';

const creator = (id: string, name = `Name of ${id.slice(0, 99)}`): DisplayName => ({ kind: 'creator', id, name });
const strategy = (id: string, name = `Name of ${id.slice(0, 99)}`): DisplayName => ({ kind: 'strategy', id, name });
const counts = { added: 0, changed: 0, unchanged: 0, removed: 0, erased: 0 };

/** The database, and a call for each question that it is asked. */
function counting(database: Database, onQuestion: () => void): Pick<Database, '$queryRaw'> {
  const ask = (...question: Parameters<Database['$queryRaw']>) => {
    onQuestion();
    return database.$queryRaw(...question);
  };
  return { $queryRaw: ask as Database['$queryRaw'] };
}

test('names: are written once however often, changed, replaced by kind, and taken away', async () => {
  const { database } = await anErasure();
  const names = [strategy('a'), strategy('b'), creator('a')];
  expect(await writeNames(database, names)).toEqual({ ...counts, added: 3 });
  expect(await writeNames(database, names)).toEqual({ ...counts, unchanged: 3 });
  expect(await writeNames(database, [strategy('a', 'New'), strategy('c')], { replace: true })).toEqual({
    ...{ ...counts, added: 1, changed: 1 },
    removed: 1,
  });
  const all = async () => (await listNames(database, { kind: null, limit: 50, cursor: null })).names;
  expect((await all()).map(({ kind, id, name }) => [kind, id, name])).toEqual([
    ['creator', 'a', 'Name of a'],
    ['strategy', 'a', 'New'],
    ['strategy', 'c', 'Name of c'],
  ]);
  expect(await writeNames(database, [], { replace: true })).toEqual(counts);
  expect(await writeNames(database, [{ ...strategy('a'), name: null }])).toEqual({ ...counts, removed: 1 });
  expect(await all()).toHaveLength(2);
});

test('names: a list is read in pages that together have each once', async () => {
  const { database } = await anErasure();
  const names = ['x', 'É', '"', 'a'.repeat(512), '😀'].flatMap((id) => [strategy(id), creator(id)]);
  await writeNames(database, names);
  const read: string[] = [];
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof listNames>> = await listNames(database, { kind: null, limit: 3, cursor });
    read.push(...page.names.map(({ kind, id }) => `${kind} ${id}`));
    cursor = page.cursor;
  } while (cursor !== null);
  expect(read.toSorted()).toEqual(names.map(({ kind, id }) => `${kind} ${id}`).toSorted());
});

test('names: thousands are written at once and looked up in a few statements; none are looked up where there are no ids', async () => {
  const { database } = await anErasure();
  const ids = Array.from({ length: 12_345 }, (_, n) => `id-${n}`);
  expect(
    await writeNames(
      database,
      ids.map((id) => strategy(id)),
    ),
  ).toEqual({ ...counts, added: ids.length });
  let statements = 0;
  const counted = counting(database, () => {
    statements += 1;
  });
  const found = await findNames(counted, 'strategy', [...ids.slice(0, 2_500), ...ids.slice(0, 10), 'x'.repeat(9_999)]);
  expect([found.size, found.get('id-7'), statements]).toEqual([2_500, 'Name of id-7', 3]);
  await findNames(counted, 'creator', []);
  expect(statements).toBe(3);
});

test('names: while there are none, nothing is asked for ten seconds; what this process writes is seen at once', async () => {
  const { database } = await anErasure();
  let [statements, nowMs] = [0, 0];
  const counted = counting(database, () => {
    statements += 1;
  });
  const book = createNameBook(counted, () => nowMs);
  const rows = [{ strategyId: 'a' }];
  for (const _ of [1, 2, 3])
    expect(await nameStrategies(book, rows)).toEqual([{ strategyId: 'a', strategyName: null }]);
  expect(statements).toBe(2);
  await writeNames(database, [strategy('a')]);
  nowMs = 9_999;
  expect((await book.find('strategy', ['a'])).size).toBe(0);
  nowMs = 10_000;
  expect(await nameStrategies(book, rows)).toEqual([{ strategyId: 'a', strategyName: 'Name of a' }]);
  await writeNames(database, [{ ...strategy('a'), name: null }]);
  await book.find('strategy', ['a']);
  await writeNames(database, [strategy('a')]);
  book.forget();
  expect((await book.find('strategy', ['a'])).get('a')).toBe('Name of a');
});

test('names: an answer has no names where their table is not there yet', async () => {
  const { database, client } = await anErasure();
  await client.query('drop table display_name');
  const book = createNameBook(database, () => 0);
  expect((await book.find('strategy', ['a'])).size).toBe(0);
});

test('names: a creator who was erased has none, and a list from before does not bring it back', async () => {
  const { database, client } = await anErasure();
  const names = [creator('gone'), creator('stays'), strategy('gone')];
  await writeNames(database, names);
  await eraseCreator(database, 'gone', { chunk: 10 });
  const left = async () =>
    (await client.query('select kind, id from display_name order by kind, id')).rows.map(({ kind, id }) => [kind, id]);
  expect(await left()).toEqual([
    ['creator', 'stays'],
    ['strategy', 'gone'],
  ]);
  expect(await writeNames(database, names)).toEqual({ ...counts, unchanged: 2, erased: 1 });
  expect(await left()).toHaveLength(2);
});

test('names: an erasure of a user takes their name, and what names them; of a realm, what names it', async () => {
  const { database, client, erase } = await anErasure();
  const names = [
    creator('user-1', 'Ada'),
    creator('user-12', 'Grace'),
    strategy('bonus', 'Bonus for user-1'),
    strategy('rule-of:user-1', 'A rule'),
    strategy('acme', 'Weekly, acme'),
  ];
  const left = async () => (await client.query('select id from display_name order by id')).rows.map(({ id }) => id);
  await writeNames(database, names);
  expect(await erase({ kind: 'user', id: 'user-1' }, { dryRun: true })).toMatchObject({ names: 3 });
  expect(await left()).toHaveLength(5);
  expect(await erase({ kind: 'user', id: 'user-1' }, { ownOnly: true })).toMatchObject({ names: 1, isDone: true });
  expect(await erase({ kind: 'user', id: 'user-1' })).toMatchObject({ names: 2 });
  expect(await left()).toEqual(['acme', 'user-12']);
  expect(await erase({ kind: 'realm', id: 'acme' })).toMatchObject({ names: 1 });
  expect(await left()).toEqual(['user-12']);
});

test('names: an erasure that begins while names are written waits, and then takes the new ones, too', async () => {
  const { database, client, databaseUrl } = await anErasure();
  // Holds the import up after it has begun.
  await client.query('begin; lock table display_name in exclusive mode');
  const written = writeNames(database, [creator('gone')]);
  await untilBlocked(databaseUrl);
  const erased = eraseCreator(database, 'gone', { chunk: 10 });
  await client.query('rollback');
  expect(await written).toEqual({ ...counts, added: 1 });
  expect(await erased).toMatchObject({ isDone: true });
  expect((await client.query('select from display_name')).rowCount).toBe(0);
});
