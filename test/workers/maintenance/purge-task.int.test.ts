import type pg from 'pg';
import { expect, test } from 'vitest';
import { createPurgeTask } from '../../../workers/maintenance/purge-task.ts';
import { connect } from '../../support/fixtures.ts';
import { maintenanceDeps } from '../../support/maintenance.ts';
import { createRoles } from '../../support/roles.ts';
import { insertDeadLetters, insertExecution } from '../../support/rows.ts';

const signal = new AbortController().signal;

async function setUp(environment: Record<string, string> = {}) {
  const { databaseUrl, deps, purged, early, lines, messages } = await maintenanceDeps(environment);
  const client = await connect(databaseUrl);
  const deadLetters = async () => {
    const { rows } = await client.query('select state, count(*)::int as n from dead_letter group by 1 order by 1');
    return Object.fromEntries(rows.map(({ state, n }) => [state, n]));
  };
  return { databaseUrl, deps, task: createPurgeTask(deps), client, purged, early, lines, messages, deadLetters };
}

test('purge: old dead letters that are dealt with go, young ones, open ones and those not known to be stored stay', async () => {
  const { client, task, deadLetters } = await setUp();
  await insertDeadLetters(client, 'stored', 31, 3);
  await insertDeadLetters(client, 'discarded', 31, 4);
  await insertDeadLetters(client, 'stored', 29, 5);
  await insertDeadLetters(client, 'discarded', 29, 6);
  await insertDeadLetters(client, 'open', 3_000, 7);
  await insertDeadLetters(client, 'replayed', 3_000, 9);
  expect(await task.preview()).toEqual({ wouldPurge: { dead_letter: 7 }, wouldRefuse: false });
  expect(await deadLetters()).toEqual({ discarded: 10, open: 7, replayed: 9, stored: 8 });
  expect(await task.run(signal)).toEqual({ outcome: 'done', purged: { dead_letter: 7 } });
  expect(await deadLetters()).toEqual({ discarded: 6, open: 7, replayed: 9, stored: 5 });
});

test('purge: many go in batches of a thousand, each by itself', async () => {
  const { client, task, purged, deadLetters } = await setUp();
  await insertDeadLetters(client, 'discarded', 31, 2_500);
  expect(await task.run(signal)).toEqual({ outcome: 'done', purged: { dead_letter: 2_500 } });
  expect(purged).toEqual([1_000, 1_000, 500]);
  expect(await deadLetters()).toEqual({});
});

test('purge: asked to stop, it ends after a batch, and the next run does the rest', async () => {
  const { client, deps, deadLetters, messages } = await setUp();
  await insertDeadLetters(client, 'discarded', 31, 2_500);
  const stop = new AbortController();
  const task = createPurgeTask({ ...deps, onPurged: () => stop.abort() });
  expect(await task.run(stop.signal)).toEqual({ outcome: 'interrupted', purged: { dead_letter: 1_000 } });
  expect(await deadLetters()).toEqual({ discarded: 1_500 });
  expect(messages()).toEqual(['purge stopped']);
  expect(await task.run(signal)).toEqual({ outcome: 'done', purged: { dead_letter: 1_500 } });
});

test('purge: two at once purge each row once, and leave what somebody else holds', async () => {
  const { databaseUrl, client, task, deadLetters } = await setUp();
  await insertDeadLetters(client, 'discarded', 31, 5_000);
  const holder = await connect(databaseUrl);
  await holder.query('begin');
  await holder.query('select from dead_letter limit 10 for update');
  const reports = await Promise.all([task.run(signal), task.run(signal)]);
  expect(reports.reduce((sum, { purged }) => sum + (purged['dead_letter'] ?? 0), 0)).toBe(4_990);
  await holder.query('commit');
  expect(await deadLetters()).toEqual({ discarded: 10 });
});

test('purge: 0 days keep everything, and so do clocks that do not agree', async () => {
  const { client, task, deadLetters } = await setUp({ SLUICE_DEAD_LETTER_RETENTION_DAYS: '0' });
  await insertDeadLetters(client, 'discarded', 3_000, 5);
  expect(await task.run(signal)).toEqual({ outcome: 'done', purged: {} });
  expect(await deadLetters()).toEqual({ discarded: 5 });

  const skewed = await setUp();
  await insertDeadLetters(skewed.client, 'discarded', 3_000, 5);
  const refusing = createPurgeTask({ ...skewed.deps, now: () => Date.now() + 2 * 86_400_000 });
  expect(await refusing.run(signal)).toEqual({ outcome: 'refused', purged: {} });
  expect(await skewed.deadLetters()).toEqual({ discarded: 5 });
});

/** A request that arrived and was stored so long ago, with its template. Null: the row is older than the column. */
async function insertRequest(
  client: pg.Client,
  { state = 'completed', arrived, stored, updated = stored ?? '0 days' }: RequestAges,
): Promise<void> {
  await client.query(
    `with template as (
      insert into request_template (id, method, path, model, body, body_encoding, body_byte_size, body_cut, created_at)
      values (gen_random_uuid(), 'POST', '/v1/x', 'm', '{}', 'utf8', 2, false, now()) returning id)
    insert into request (id, template_id, state, model, service_tier, created_by, daemon_id, response_status, response_body,
      response_encoding, created_at, claimed_at, started_at, completed_at, stored_at, updated_at)
    select gen_random_uuid(), id, $1, 'm', 'priority', 'u', gen_random_uuid(), 200, '', 'utf8',
      now() - $2::interval, now(), now(), now(), now() - $3::interval, now() - $4::interval from template`,
    [state, arrived, stored, updated],
  );
}

interface RequestAges {
  state?: string;
  arrived: string;
  stored: string | null;
  updated?: string;
}

test('purge: requests that have ended go with their templates, those that run stay', async () => {
  const { client, task, early } = await setUp();
  for (const [state, age] of [
    ['completed', '91 days'],
    ['completed', '89 days'],
    ['processing', '91 days'],
  ] as const)
    await insertRequest(client, { state, arrived: age, stored: age });
  expect(await task.preview()).toEqual({ wouldPurge: { request: 1 }, wouldRefuse: false });
  expect(await task.run(signal)).toEqual({ outcome: 'done', purged: { request: 1 } });
  const { rows } = await client.query(
    'select state from request join request_template on request_template.id = template_id order by 1',
  );
  expect(rows.map(({ state }) => state)).toEqual(['completed', 'processing']);
  expect((await client.query('select from request_template')).rowCount).toBe(2);
  expect(early).toEqual([]);
});

test.each<[name: string, ages: RequestAges, goes: boolean]>([
  ['of 1970, stored today, stays', { arrived: '56 years', stored: '0 days' }, false],
  ['of 1970, stored 89 days ago, stays', { arrived: '56 years', stored: '89 days' }, false],
  ['of 1970, stored 91 days ago, goes', { arrived: '56 years', stored: '91 days' }, true],
  ['of a year to come, stored 89 days ago, stays', { arrived: '-1 year', stored: '89 days' }, false],
  ['of a year to come, stored 91 days ago, goes', { arrived: '-1 year', stored: '91 days' }, true],
  ['of a month after it was stored 91 days ago goes', { arrived: '61 days', stored: '91 days' }, true],
  [
    'that is older than the column goes by its last change',
    { arrived: '91 days', stored: null, updated: '91 days' },
    true,
  ],
  [
    'that is older than the column, changed since, stays',
    { arrived: '91 days', stored: null, updated: '89 days' },
    false,
  ],
  [
    'from a time to come that is older than the column goes',
    { arrived: '-1 year', stored: null, updated: '91 days' },
    true,
  ],
])('purge: a request %s', async (_name, ages, goes) => {
  const { client, task, early } = await setUp();
  await insertRequest(client, ages);
  const due = goes ? { request: 1 } : {};
  expect(await task.preview()).toMatchObject({ wouldPurge: due });
  expect(await task.run(signal)).toEqual({ outcome: 'done', purged: due });
  expect((await client.query('select from request')).rowCount).toBe(goes ? 0 : 1);
  expect(early).toEqual([]);
});

test('purge: a change to a request does not change when it was stored', async () => {
  const { client } = await setUp();
  await insertRequest(client, { state: 'processing', arrived: '5 days', stored: '5 days' });
  const at = async () => (await client.query('select stored_at from request')).rows;
  const before = await at();
  await client.query(`update request set state = 'completed', updated_at = now()`);
  expect(await at()).toEqual(before);
});

test('purge: rows of the DEFAULT partition go when they were stored long enough ago, whatever time they say', async () => {
  const { client, task, early } = await setUp();
  for (const [recorded, stored] of [
    ['1970-01-21Z', `'91 days'`],
    ['1970-01-21Z', `'89 days'`],
    ['2099-01-01Z', `'91 days'`],
    ['2099-01-01Z', `'89 days'`],
    ['1970-01-21Z', 'null'],
  ] as const) {
    await insertExecution(client, recorded, 3);
    await client.query(
      `update strategy_execution_log_default set stored_at = now() - ${stored}::interval where stored_at > now() - interval '1 day'`,
    );
  }
  expect(await task.run(signal)).toEqual({ outcome: 'done', purged: { strategy_execution_log_default: 6 } });
  const { rows } = await client.query(
    'select recorded_at > now() as ahead, count(*)::int as n from strategy_execution_log group by 1 order by 1',
  );
  expect(rows).toEqual([
    { ahead: false, n: 6 },
    { ahead: true, n: 3 },
  ]);
  expect(early).toEqual([]);
});

test('purge: rows of the DEFAULT partition from before it was noted when they were stored go so long after that began', async () => {
  const { client, databaseUrl, task } = await setUp();
  await insertExecution(client, '1970-01-21Z', 3);
  await client.query('update strategy_execution_log_default set stored_at = null');
  await insertExecution(client, '1970-01-21Z', 2);
  const began = (days: number) =>
    client.query(
      `update sluice_migration set finished_at = now() - make_interval(days => $1) where name like '%_stored_at'`,
      [days],
    );
  await began(89);
  expect(await task.run(signal)).toEqual({ outcome: 'done', purged: {} });
  await began(91);
  const { workerUrl } = await createRoles(databaseUrl);
  const { deps } = await maintenanceDeps({}, workerUrl);
  await client.query(`revoke all on sluice_migration from ${new URL(workerUrl).username}`);
  expect(await createPurgeTask(deps).run(signal)).toEqual({ outcome: 'done', purged: {} });
  expect(await task.run(signal)).toEqual({ outcome: 'done', purged: { strategy_execution_log_default: 3 } });
  expect((await client.query('select from strategy_execution_log')).rowCount).toBe(2);
});

test('purge: of one id with two times the row that is not due stays', async () => {
  const { client, task } = await setUp();
  await insertExecution(client, '1970-01-21Z');
  await client.query(
    `insert into strategy_execution_log (id, recorded_at, strategy_id, strategy_version, strategy_type, status, duration_ms, nodes_executed, sampled, sample_rate, stored_at)
     select id, '1971-01-21Z', strategy_id, strategy_version, strategy_type, status, duration_ms, nodes_executed, sampled, sample_rate, now() - interval '91 days' from strategy_execution_log`,
  );
  await task.run(signal);
  const { rows } = await client.query('select extract(year from recorded_at)::int as year from strategy_execution_log');
  expect(rows).toEqual([{ year: 1970 }]);
});

test('purge: rows that go sooner after they were stored than they are to be kept raise the alarm', async () => {
  const { client, task, early, lines } = await setUp();
  await insertDeadLetters(client, 'discarded', 31, 2);
  // As somebody does who changes states by hand.
  await client.query(`insert into dead_letter (queue, record_key, payload, code, reason, signature, state, state_since, first_seen)
    select 'execution-log', 'late', '{}', '22P05', 'r', 's', 'discarded', now() - interval '31 days', now() - interval '1 day'`);
  expect(await task.run(signal)).toMatchObject({ purged: { dead_letter: 3 } });
  expect(early).toEqual([['dead_letter', 1]]);
  expect(lines).toContainEqual(
    expect.objectContaining({
      level: 50,
      table: 'dead_letter',
      rows: 1,
      keepDays: 30,
      msg: expect.stringContaining('deleted before their retention'),
    }),
  );
});

test('purge: marks of what was deleted go when no record of it can be on its way any more', async () => {
  const { client, task } = await setUp();
  await client.query(
    `insert into request_tombstone (id, deleted_at) select gen_random_uuid(), now() - make_interval(days => d) from unnest(array[1, 91]) d`,
  );
  await client.query(
    `insert into creator_erasure (creator_hash, erased_before) select sha256(d::text::bytea), now() - make_interval(days => d) from unnest(array[1, 91]) d`,
  );
  await client.query(
    `insert into subject_erasure (kind, subject_hash, erased_before)
     select kind, sha256(d::text::bytea), now() - make_interval(days => d) from unnest(array[1, 91]) d, unnest(array['user', 'realm']) kind`,
  );
  expect(await task.run(signal)).toEqual({
    outcome: 'done',
    purged: { request_tombstone: 1, creator_erasure: 1, subject_erasure: 2 },
  });
});
