import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import type { DeadLetter } from '../../dead-letters/dead-letter.ts';
import { markStored, storeDeadLetters, toDeadLetter } from '../../dead-letters/store.ts';
import { replayProducer } from '../../shared/contracts/replay.ts';
import { loadConfig } from '../../shared/platform/config/config.ts';
import { createDatabase } from '../../shared/platform/postgres/database.ts';
import { requestKey } from '../../workers/completed-requests/request-key.ts';
import { connect, createTestDatabase } from '../support/fixtures.ts';

const origin = { queue: 'execution-log' as const, contractVersion: 1, jobId: 'job', producer: 'p' };

interface Row {
  id: string;
  payload: string;
  code: string;
  reason: string;
  attempts: number;
  state: string;
  job_id: string | null;
  producer: string | null;
}

async function aDatabase() {
  const databaseUrl = await createTestDatabase();
  const database = createDatabase(loadConfig({ DATABASE_URL: databaseUrl }).database, 'test');
  onTestFinished(() => database.$disconnect());
  const client = await connect(databaseUrl);
  const storeDead = (...deadLetters: DeadLetter[]) => storeDeadLetters(database, deadLetters);
  const rows = async (): Promise<Row[]> =>
    (await client.query('select * from dead_letter order by first_seen, payload')).rows;
  const setState = (state: string) => client.query('update dead_letter set state = $1', [state]);
  const onlyId = async (): Promise<string> => (await rows())[0]?.id ?? '';
  return { database, storeDead, rows, setState, onlyId };
}

function deadLetterOf(record: unknown, reason = 'r', overrides: Partial<typeof origin> = {}): DeadLetter {
  return toDeadLetter(JSON.stringify(record), '22P05', reason, { ...origin, ...overrides });
}

/** The dead letter of a record that was put back, and has died again. */
function replayOf(deadLetterId: string, record: unknown, reason: string): DeadLetter {
  return deadLetterOf(record, reason, { producer: replayProducer(deadLetterId), jobId: 'replay' });
}

test('dead letters: records that share what is no id of theirs are a dead letter each', async () => {
  const { storeDead, rows } = await aDatabase();
  const records = [1, 2, 3, 4, 5].map((n) => ({ id: 'undefined', n }));
  await storeDead(...records.map((record) => deadLetterOf(record)));
  expect((await rows()).map(({ payload }) => payload)).toEqual(records.map((record) => JSON.stringify(record)));
});

test('dead letters: two different records of one id are two dead letters, in one call and in two', async () => {
  const { storeDead, rows } = await aDatabase();
  const id = randomUUID();
  await storeDead(deadLetterOf({ id, n: 1 }), deadLetterOf({ id, n: 2 }));
  await storeDead(deadLetterOf({ id, n: 3 }));
  expect((await rows()).map(({ payload, attempts }) => [JSON.parse(payload).n, attempts])).toEqual([
    [1, 1],
    [2, 1],
    [3, 1],
  ]);
});

test('dead letters: a record that is delivered again is the same dead letter, and counted as often as it came', async () => {
  const { storeDead, rows } = await aDatabase();
  const record = { id: randomUUID() };
  await storeDead(deadLetterOf(record, 'first'), deadLetterOf(record, 'second'));
  expect(await rows()).toMatchObject([{ attempts: 2, reason: 'second', state: 'open' }]);
  await storeDead(deadLetterOf({ other: 1 }), deadLetterOf(record, 'third'), deadLetterOf(record, 'fourth'));
  expect((await rows()).map(({ attempts, reason }) => [attempts, reason])).toEqual([
    [4, 'fourth'],
    [1, 'r'],
  ]);
});

test('dead letters: what was replayed and is dead again opens its own dead letter, which keeps the original', async () => {
  const { storeDead, rows, setState, onlyId } = await aDatabase();
  const original = { id: randomUUID(), message: 'a\0' };
  await storeDead(deadLetterOf(original));
  const id = await onlyId();
  await setState('replayed');
  await storeDead(replayOf(id, { id: original.id }, 'message: is missing'));
  expect(await rows()).toMatchObject([
    {
      id,
      payload: JSON.stringify(original),
      reason: 'message: is missing',
      attempts: 2,
      state: 'open',
      job_id: 'job',
      producer: 'p',
    },
  ]);
});

test('dead letters: what was replayed from a dead letter that is gone is a dead letter of its own', async () => {
  const { storeDead, rows } = await aDatabase();
  const gone = randomUUID();
  const record = { id: randomUUID() };
  await storeDead(replayOf(gone, record, 'r'));
  expect(await rows()).toMatchObject([{ payload: JSON.stringify(record), attempts: 1, state: 'open' }]);
});

test('dead letters: a dead letter of another queue is not opened by a replay', async () => {
  const { storeDead, rows, onlyId } = await aDatabase();
  await storeDead(deadLetterOf({ n: 1 }));
  await storeDead({ ...replayOf(await onlyId(), { n: 2 }, 'r'), queue: 'completed-request' });
  expect((await rows()).map(({ attempts }) => attempts)).toEqual([1, 1]);
});

test('dead letters: of a chunk that is only called a replay, each record is a dead letter', async () => {
  const { storeDead, rows, onlyId } = await aDatabase();
  await storeDead(deadLetterOf({ n: 0 }));
  const id = await onlyId();
  await storeDead(replayOf(id, { n: 1 }, 'r'), replayOf(id, { n: 2 }, 'r'));
  expect((await rows()).map(({ payload }) => JSON.parse(payload).n)).toEqual([0, 1, 2]);
});

test('dead letters: a replay, and a new record that reads like it, in one call are both there', async () => {
  const { storeDead, rows, onlyId } = await aDatabase();
  await storeDead(deadLetterOf({ n: 0 }));
  const id = await onlyId();
  await storeDead(deadLetterOf({ n: 1 }), replayOf(id, { n: 1 }, 'again'), replayOf(randomUUID(), { n: 1 }, 'of none'));
  expect((await rows()).map(({ payload, attempts }) => [JSON.parse(payload).n, attempts])).toEqual([
    [0, 2],
    [1, 2],
  ]);
});

test.each([
  ['open', 'stored'],
  ['replayed', 'stored'],
  ['stored', 'stored'],
  ['discarded', 'discarded'],
])('dead letters: one that is %s when its replay is stored is then %s', async (before, after) => {
  const { database, storeDead, rows, setState, onlyId } = await aDatabase();
  await storeDead(deadLetterOf({ n: 0 }));
  await setState(before);
  await markStored(database, [await onlyId(), randomUUID()]);
  expect(await rows()).toMatchObject([{ state: after }]);
});

test.each([
  ['open', 'open'],
  ['replayed', 'open'],
  ['stored', 'open'],
  ['discarded', 'discarded'],
])(
  'dead letters: one that is %s when its record comes again, or its replay dies, is then %s',
  async (before, after) => {
    const { storeDead, rows, setState, onlyId } = await aDatabase();
    await storeDead(deadLetterOf({ n: 0 }));
    await setState(before);
    await storeDead(deadLetterOf({ n: 0 }));
    expect(await rows()).toMatchObject([{ state: after, attempts: 2 }]);
    await setState(before);
    await storeDead(replayOf(await onlyId(), { n: 0 }, 'r'));
    expect(await rows()).toMatchObject([{ state: after, attempts: 3 }]);
  },
);

test.each([1_999, 2_000])('dead letters: a reason cut within a character, at %d, can be stored', async (chars) => {
  const { storeDead, rows } = await aDatabase();
  await storeDead(deadLetterOf({ n: 0 }, `${'x'.repeat(chars)}${'😀'.repeat(200)}`));
  expect(await rows()).toHaveLength(1);
});

test.each([190, 191])('dead letters: a signature cut at %d can be stored', async (chars) => {
  const { storeDead, rows } = await aDatabase();
  await storeDead(deadLetterOf({ n: 0 }, `${'x'.repeat(chars)}${'😀'.repeat(200)}`));
  expect(await rows()).toHaveLength(1);
});

test('dead letters: a producer or job whose name PostgreSQL refuses keeps no dead letter from being stored', async () => {
  const { storeDead, rows } = await aDatabase();
  await storeDead(deadLetterOf({ n: 0 }, 'r', { producer: 'a\0b\ud800', jobId: 'j\0' }));
  expect(await rows()).toMatchObject([{ producer: 'a\uFFFDb\uFFFD', job_id: 'j\uFFFD' }]);
});

test('dead letters: a request’s beginning and its end are two dead letters', async () => {
  const { storeDead, rows } = await aDatabase();
  const requestId = randomUUID();
  const payloads = [{ requestId, phase: 'begun' }, { requestId }].map((record) => JSON.stringify(record));
  await storeDead(...payloads.map((payload) => toDeadLetter(payload, 'schema', 'r', origin, requestKey)));
  expect(await rows()).toHaveLength(2);
});
