import { expect, test } from 'vitest';
import { createPurgeTask } from '../../../workers/maintenance/purge-task.ts';
import { connect } from '../../support/fixtures.ts';
import { maintenanceDeps } from '../../support/maintenance.ts';
import { insertLetters } from '../../support/rows.ts';

const signal = new AbortController().signal;

async function setUp(environment: Record<string, string> = {}) {
  const { databaseUrl, deps, purged, messages } = await maintenanceDeps(environment);
  const client = await connect(databaseUrl);
  const letters = async () => {
    const { rows } = await client.query('select state, count(*)::int as n from dead_letter group by 1 order by 1');
    return Object.fromEntries(rows.map(({ state, n }) => [state, n]));
  };
  return { databaseUrl, deps, task: createPurgeTask(deps), client, purged, messages, letters };
}

test('purge: old letters that are dealt with go, young ones, open ones and those not known to be stored stay', async () => {
  const { client, task, letters } = await setUp();
  await insertLetters(client, 'stored', 31, 3);
  await insertLetters(client, 'discarded', 31, 4);
  await insertLetters(client, 'stored', 29, 5);
  await insertLetters(client, 'discarded', 29, 6);
  await insertLetters(client, 'open', 3_000, 7);
  await insertLetters(client, 'replayed', 3_000, 9);
  expect(await task.preview()).toEqual({ wouldPurge: { dead_letter: 7 }, wouldRefuse: false });
  expect(await letters()).toEqual({ discarded: 10, open: 7, replayed: 9, stored: 8 });
  expect(await task.run(signal)).toEqual({ outcome: 'done', purged: { dead_letter: 7 } });
  expect(await letters()).toEqual({ discarded: 6, open: 7, replayed: 9, stored: 5 });
});

test('purge: many go in batches of a thousand, each by itself', async () => {
  const { client, task, purged, letters } = await setUp();
  await insertLetters(client, 'discarded', 31, 2_500);
  expect(await task.run(signal)).toEqual({ outcome: 'done', purged: { dead_letter: 2_500 } });
  expect(purged).toEqual([1_000, 1_000, 500]);
  expect(await letters()).toEqual({});
});

test('purge: asked to stop, it ends after a batch, and the next run does the rest', async () => {
  const { client, deps, letters, messages } = await setUp();
  await insertLetters(client, 'discarded', 31, 2_500);
  const stop = new AbortController();
  const task = createPurgeTask({ ...deps, onPurged: () => stop.abort() });
  expect(await task.run(stop.signal)).toEqual({ outcome: 'interrupted', purged: { dead_letter: 1_000 } });
  expect(await letters()).toEqual({ discarded: 1_500 });
  expect(messages()).toEqual(['purge stopped']);
  expect(await task.run(signal)).toEqual({ outcome: 'done', purged: { dead_letter: 1_500 } });
});

test('purge: two at once purge each row once, and leave what somebody else holds', async () => {
  const { databaseUrl, client, task, letters } = await setUp();
  await insertLetters(client, 'discarded', 31, 5_000);
  const holder = await connect(databaseUrl);
  await holder.query('begin');
  await holder.query('select from dead_letter limit 10 for update');
  const reports = await Promise.all([task.run(signal), task.run(signal)]);
  expect(reports.reduce((sum, { purged }) => sum + (purged['dead_letter'] ?? 0), 0)).toBe(4_990);
  await holder.query('commit');
  expect(await letters()).toEqual({ discarded: 10 });
});

test('purge: 0 days keep everything, and so do clocks that do not agree', async () => {
  const { client, task, letters } = await setUp({ SLUICE_DEAD_LETTER_RETENTION_DAYS: '0' });
  await insertLetters(client, 'discarded', 3_000, 5);
  expect(await task.run(signal)).toEqual({ outcome: 'done', purged: {} });
  expect(await letters()).toEqual({ discarded: 5 });

  const skewed = await setUp();
  await insertLetters(skewed.client, 'discarded', 3_000, 5);
  const refusing = createPurgeTask({ ...skewed.deps, now: () => Date.now() + 2 * 86_400_000 });
  expect(await refusing.run(signal)).toEqual({ outcome: 'refused', purged: {} });
  expect(await skewed.letters()).toEqual({ discarded: 5 });
});

/** A request that arrived so many days ago, with its template. */
const insertRequest = `
  with template as (
    insert into request_template (id, method, path, model, body, body_encoding, body_byte_size, body_cut, created_at)
    values (gen_random_uuid(), 'POST', '/v1/x', 'm', '{}', 'utf8', 2, false, now()) returning id)
  insert into request (id, template_id, state, model, service_tier, created_by, daemon_id, response_status, response_body,
    response_encoding, created_at, claimed_at, started_at, completed_at)
  select gen_random_uuid(), id, $1, 'm', 'priority', 'u', gen_random_uuid(), 200, '', 'utf8',
    now() - make_interval(days => $2), now(), now(), now() from template`;

test('purge: requests that have ended go with their templates, those that run stay', async () => {
  const { client, task } = await setUp();
  for (const [state, days] of [
    ['completed', 91],
    ['completed', 89],
    ['processing', 91],
  ] as const)
    await client.query(insertRequest, [state, days]);
  expect(await task.run(signal)).toEqual({ outcome: 'done', purged: { request: 1 } });
  const { rows } = await client.query(
    'select state from request join request_template on request_template.id = template_id order by 1',
  );
  expect(rows.map(({ state }) => state)).toEqual(['completed', 'processing']);
  expect((await client.query('select from request_template')).rowCount).toBe(2);
});

test('purge: marks of what was deleted go when no record of it can be on its way any more', async () => {
  const { client, task } = await setUp();
  await client.query(
    `insert into request_tombstone (id, deleted_at) select gen_random_uuid(), now() - make_interval(days => d) from unnest(array[1, 91]) d`,
  );
  await client.query(
    `insert into creator_erasure (creator_hash, erased_before) select sha256(d::text::bytea), now() - make_interval(days => d) from unnest(array[1, 91]) d`,
  );
  expect(await task.run(signal)).toEqual({ outcome: 'done', purged: { request_tombstone: 1, creator_erasure: 1 } });
});
