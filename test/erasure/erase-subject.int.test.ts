import { expect, test } from 'vitest';
import { noteSubjectErasure } from '../../erasure/note-erasure.ts';
import type { ErasureSubject } from '../../shared/contracts/erasure-subject.ts';
import { anErasure } from '../support/erasure.ts';
import { connect, untilBlocked } from '../support/fixtures.ts';

const user = (id: string): ErasureSubject => ({ kind: 'user', id });

test('erase: the rows of a realm go from each partition, DEFAULT included, whoever the user is', async () => {
  const { run, rows, erase } = await anErasure();
  await run({ realmId: 'gone-1' });
  await run({ realmId: 'gone-1', recordedAt: new Date('2020-01-01T00:00:00Z') });
  const stays = await run({ realmId: 'gone-12' });
  const wanted = { erased: { executions: 2 }, blanked: { executions: 0 }, isDone: true };
  expect(await erase({ kind: 'realm', id: 'gone-1' }, { dryRun: true })).toMatchObject(wanted);
  expect(await rows()).toHaveLength(3);
  expect(await erase({ kind: 'realm', id: 'gone-1' })).toMatchObject(wanted);
  expect((await rows()).map(({ id }) => id)).toEqual([stays]);
});

test.each(['a"b\\c', 'jörg', 'x.y*[z]', '%_', "o'neil"])('erase: whatever is in the id %s, it is found', async (id) => {
  const { run, rows, erase, client } = await anErasure();
  await run({ externalUserId: id });
  const named = await run({
    externalUserId: 'stays',
    errorMessage: `none for ${id}`,
    status: 'error',
    input: { [id]: id },
  });
  const other = await run({ externalUserId: 'stays', input: { said: 'nothing' } });
  expect(await erase(user(id))).toMatchObject({ erased: { executions: 1 }, blanked: { executions: 1 } });
  expect(await rows()).toMatchObject([
    { id: named, input: null, error_message: null, external_user_id: 'stays', status: 'error' },
    { id: other, input: { said: 'nothing' }, notes: null },
  ]);
  const { rows: hits } = await client.query(
    'select from strategy_execution_log as t where position($1 in row_to_json(t)::text) > 0',
    [JSON.stringify(id).slice(1, -1)],
  );
  expect(hits).toEqual([]);
});

test('erase: with --own-only what others say stays, and without it only what names the id goes', async () => {
  const { run, rows, erase } = await anErasure();
  await run({
    externalUserId: 'stays',
    trace: [{ nodeId: 'n', type: 'field', value: 'of gone-1' }],
    input: { level: 3 },
  });
  const before = await rows();
  expect(await erase(user('gone-1'), { ownOnly: true })).toMatchObject({ blanked: { executions: 0 }, isDone: true });
  expect(await rows()).toEqual(before);
  expect(await erase(user('gone-1'))).toMatchObject({ blanked: { executions: 1 }, isDone: true });
  expect(await rows()).toMatchObject([{ ...before[0], trace: null, notes: 'erased in part' }]);
  expect(await erase(user('gone-1'))).toMatchObject({ blanked: { executions: 0 } });
});

test('erase: bodies of others that name the user are blanked, encoded ones too, and the requests stay', async () => {
  const { request, requests, erase } = await anErasure();
  await request({ createdBy: 'gone-1' });
  await request({ createdBy: 'a', requestBody: '{"user":"gone-1"}', responseBody: 'fine' });
  const body = Buffer.from('to gone-1').toString('base64');
  await request({ createdBy: 'b', requestBody: 'fine', responseBody: body, responseEncoding: 'base64' });
  await request({ createdBy: 'c', requestBody: 'gone-12', responseBody: 'fine' });
  expect(await erase(user('gone-1'), { dryRun: true })).toMatchObject({
    erased: { requests: 1 },
    blanked: { requests: 2 },
  });
  expect(await erase(user('gone-1'))).toMatchObject({ erased: { requests: 1 }, blanked: { requests: 2 } });
  expect(await requests()).toMatchObject([
    { created_by: 'a', body: '', response_body: 'fine', state: 'completed' },
    { created_by: 'b', body: 'fine', response_body: '', notes: 'erased in part', state: 'completed' },
    { created_by: 'c', body: 'gone-12', response_body: 'fine', notes: null },
  ]);
});

test('erase: what was read in the bodies of others, and who served them, goes where it names the user', async () => {
  const { request, requests, erase } = await anErasure();
  const responseBody = JSON.stringify({ object: 'chat.completion', choices: [{ finish_reason: 'gone-1' }] });
  await request({ createdBy: 'a', responseBody, provider: 'stays' });
  await request({ createdBy: 'b', provider: 'proxy of gone-1' });
  expect(await requests()).toMatchObject([
    { finish_reason: 'gone-1', provider: 'stays' },
    { provider: 'proxy of gone-1' },
  ]);
  expect(await erase(user('gone-1'))).toMatchObject({ blanked: { requests: 2 } });
  expect(await requests()).toMatchObject([
    { finish_reason: null, provider: 'stays', api: 'openai-chat', response_body: '' },
    { provider: null, response_body: '{"output":[]}' },
  ]);
});

test('erase: it waits for a statement that stores a record of the user, and takes that too', async () => {
  const { databaseUrl, client, run, rows, erase } = await anErasure();
  const held = await connect(databaseUrl);
  await held.query('begin');
  // As the statement of a worker does.
  await held.query('select from subject_erasure where false for key share');
  await held.query(
    `insert into strategy_execution_log (id, recorded_at, strategy_id, strategy_version, strategy_type, external_user_id,
      status, duration_ms, nodes_executed, sampled, sample_rate)
     values (gen_random_uuid(), now() - interval '1 s', 's', 1, 't', 'gone-1', 'ok', 1, 1, true, 1)`,
  );
  const erasing = erase(user('gone-1'));
  await untilBlocked(databaseUrl);
  await held.query('commit');
  expect(await erasing).toMatchObject({ erased: { executions: 1 }, isDone: true });
  await run({ externalUserId: 'gone-1', recordedAt: new Date(Date.now() - 3_600_000) });
  expect(await rows()).toEqual([]);
  // Neither table tells who it was.
  const { rows: marks } = await client.query('select kind, length(subject_hash) as bytes from subject_erasure');
  expect(marks).toEqual([{ kind: 'user', bytes: 32 }]);
});

test('erase: partitions that wait for their drop, and copies that a move has left behind, are gone through', async () => {
  const { client, erase } = await anErasure();
  await client.query(`
    create table expired (like strategy_execution_log including all);
    comment on table expired is 'sluice: expired, was strategy_execution_log from 2026-01-01T00:00:00Z to 2026-01-02T00:00:00Z, is dropped once it is archived';
    create table sluice_moving_all (like strategy_execution_log including generated) partition by range (recorded_at);
    create table sluice_moving_rest partition of sluice_moving_all default;
    create table kept (like strategy_execution_log including all)`);
  for (const table of ['expired', 'sluice_moving_all', 'kept'])
    await client.query(
      `insert into ${table} (id, recorded_at, strategy_id, strategy_version, strategy_type, external_user_id, status, duration_ms,
         nodes_executed, sampled, sample_rate, attempt)
       values (gen_random_uuid(), '2026-01-01T12:00:00Z', 's', 1, 't', 'gone-1', 'ok', 1, 1, true, 1, 1)`,
    );
  expect(await erase(user('gone-1'))).toMatchObject({ erased: { executions: 2 }, isDone: true });
  const { rows } = await client.query(
    'select (select count(*)::int from expired) as expired, (select count(*)::int from sluice_moving_all) as moving, (select count(*)::int from kept) as kept',
  );
  expect(rows).toEqual([{ expired: 0, moving: 0, kept: 1 }]);
});

test('erase: an id that is a word of the note, or would join two columns, is blanked once', async () => {
  const { client, rows, erase } = await anErasure();
  await client.query(`
    insert into strategy_execution_log (id, recorded_at, strategy_id, strategy_version, strategy_type, error_message, error_code,
      trace, status, duration_ms, nodes_executed, sampled, sample_rate, attempt)
    select gen_random_uuid(), '2020-01-01T00:00:00Z', 's', 1, 't', 'of in', 'b', (select jsonb_agg(md5(n || '-' || m))
      from generate_series(1, 40) as m), 'error', 1, 1, true, 1, 1 from generate_series(1, 400) as n`);
  expect(await erase({ kind: 'realm', id: 'in' })).toMatchObject({ blanked: { executions: 400 }, isDone: true });
  expect(await erase({ kind: 'realm', id: 'in' })).toMatchObject({ blanked: { executions: 0 }, isDone: true });
  await client.query(`update strategy_execution_log set error_code = 'a', error_message = 'b'`);
  expect(await erase({ kind: 'realm', id: 'a\nb' })).toMatchObject({ blanked: { executions: 0 } });
  expect(new Set((await rows()).map(({ notes }) => notes as string))).toEqual(new Set(['erased in part']));
});

test('erase: broken off it says so, and what was noted holds; the next call ends it', async () => {
  const { run, rows, erase, database } = await anErasure();
  await run({ externalUserId: 'gone-1' });
  const stop = new AbortController();
  stop.abort();
  expect(await erase(user('gone-1'), { signal: stop.signal })).toMatchObject({
    erased: { executions: 0 },
    isDone: false,
  });
  expect(await rows()).toHaveLength(1);
  await run({ externalUserId: 'gone-1', recordedAt: new Date(Date.now() - 1_000) });
  expect(await rows()).toHaveLength(1);
  expect(await erase(user('gone-1'))).toMatchObject({ erased: { executions: 1 }, isDone: true });
  await noteSubjectErasure(database, user('gone-1'));
});
