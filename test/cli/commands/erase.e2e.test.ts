import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { expect, inject, onTestFinished, test } from 'vitest';
import { createBullmqTransport } from '../../../producers/core/transport.ts';
import { encodeFrame, encodeSegmentHeader } from '../../../producers/spill/frame.ts';
import type { QueueName } from '../../../shared/contracts/queues.ts';
import { createRedis } from '../../../shared/platform/redis/redis.ts';
import { idOf, recordText } from '../../support/execution-fleet.ts';
import {
  connect,
  createDirectory,
  createNamespace,
  createTestDatabase,
  openQueue,
  until,
} from '../../support/fixtures.ts';
import { startSluice } from '../../support/fleet.ts';
import { targetOf } from '../../support/redis-target.ts';
import { aCompletion } from '../../support/requests.ts';
import { createRunner } from '../../support/run-sluice.ts';
import { aDeadOwner, aLivingOwner, leaveSession } from '../../support/spill.ts';

const user = 'user-31f7';
const marker = 'marker-9ac2';

let number = 0;
const next = (): number => {
  number += 1;
  return number;
};

const secret = { trace: [{ nodeId: 'n', type: 'field', value: marker }], input: { said: `${marker} by ${user}` } };
/** An execution of the user, one of somebody else that names the user, and one that has nothing to do with either. */
const theirs = () => recordText(next(), { externalUserId: user, ...secret });
const naming = () =>
  recordText(next(), {
    externalUserId: 'other',
    trace: [{ nodeId: 'n', type: 'field', value: `gift from ${user}` }],
    input: { [user]: 1, level: 7 },
  });
const others = () => recordText(next(), { externalUserId: `${user}0`, input: { level: 3, id: `${user}0` } });
const bodies = { requestBody: `{"input":"${marker}"}`, responseBody: `{"output":"${marker} ${user}"}` };
const request = (overrides: Parameters<typeof aCompletion>[0] = {}) =>
  JSON.stringify(
    aCompletion({ startedAt: new Date().toISOString(), completedAt: new Date().toISOString(), ...overrides }),
  );
/** What no contract takes. */
const bad = (json: string): string => json.replace('{', '{"unknown":1,');

async function aPlace() {
  const [databaseUrl, namespace, spillDir] = [await createTestDatabase(), createNamespace(), await createDirectory()];
  const environment = { DATABASE_URL: databaseUrl, REDIS_URL: inject('redisUrl'), SLUICE_NAMESPACE: namespace };
  const client = await connect(databaseUrl);
  const onlooker = new Redis(inject('redisUrl'));
  onTestFinished(() => onlooker.disconnect());
  const queues = {
    'execution-log': openQueue(namespace),
    'completed-request': openQueue(namespace, inject('redisUrl'), 'completed-request'),
  };
  const chunk = (...records: string[]) => {
    const seq = next();
    return {
      id: `job-${seq}`,
      data: `{"v":1,"producer":"test","epoch":1,"seq":${seq},"records":[${records.join(',')}]}`,
    };
  };
  const add = async (queue: QueueName, ...records: string[]): Promise<string> => {
    const redis = createRedis(targetOf(inject('redisUrl')), { role: 'producer', name: 'test', logger: null });
    const transport = createBullmqTransport({ redis, queue, namespace });
    const job = chunk(...records);
    await transport.send([job]);
    await transport.close();
    return job.id;
  };
  return {
    ...{ environment, client, queues, chunk, add, spillDir, namespace },
    run: createRunner(environment),
    startWorker: () =>
      startSluice(['worker', 'execution-log', 'completed-request'], { ...environment, SLUICE_WORKER_PORT: '0' }),
    /** Resolves when nothing is in the queues but failed jobs. */
    async settled(): Promise<void> {
      for (const queue of Object.values(queues)) {
        await until(async () => {
          const counts = await queue.getJobCounts('waiting', 'active', 'delayed', 'prioritized');
          return Object.values(counts).every((count) => count === 0);
        });
      }
    },
    /** All that is in the database, as text. */
    async dump(): Promise<string> {
      const { rows } = await client.query(
        `select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace`,
      );
      const parts: string[] = [];
      for (const { relname } of rows) {
        const table = await client.query(`select row_to_json(t)::text as row from only "${relname}" t`);
        parts.push(...table.rows.map(({ row }) => row));
      }
      return parts.join('\n');
    },
    /** All that is in Redis of this fleet, as text. */
    async redis(): Promise<string> {
      const parts: unknown[] = [];
      for (const key of await onlooker.keys(`{${namespace}:*`)) {
        const type = await onlooker.type(key);
        parts.push(key);
        if (type === 'string') parts.push(await onlooker.get(key));
        if (type === 'hash') parts.push(await onlooker.hgetall(key));
        if (type === 'list') parts.push(await onlooker.lrange(key, 0, -1));
        if (type === 'set') parts.push(await onlooker.smembers(key));
        if (type === 'zset') parts.push(await onlooker.zrange(key, '0', '-1'));
        if (type === 'stream') parts.push(await onlooker.xrange(key, '-', '+'));
      }
      return JSON.stringify(parts);
    },
    /** All that is in files below the spill directory. */
    async disk(): Promise<string> {
      const entries = await readdir(spillDir, { recursive: true, withFileTypes: true });
      const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
      return (await Promise.all(files.map((file) => readFile(file, 'latin1')))).join('\n');
    },
    rowsOf: async (ids: readonly number[]) =>
      (
        await client.query(
          'select row_to_json(t)::text as row from strategy_execution_log t where id = any($1) order by id',
          [ids.map((id) => idOf(id))],
        )
      ).rows.map(({ row }) => row as string),
  };
}

/** Whether a text has the user's id as a word, or the marker. Another user's id begins with it. */
const tells = (text: string): boolean => new RegExp(`${user}(?!0|-b)|${marker}`).test(text);

const idsFrom = (...records: string[]): number[] =>
  records.map((record) => Number.parseInt((JSON.parse(record) as { id: string }).id.slice(-12), 16));

test('erase user: of a user in every place nothing is left, and of all others everything', async () => {
  const place = await aPlace();
  const { add, queues, chunk, run, client } = place;
  const worker = await place.startWorker();
  const calm = [others(), others(), others()];
  const [, , waitsBeside, failsBeside, spillsBeside] = [0, 0, others(), others(), others()];
  const named = naming();
  // In tables and dead letters.
  await add('execution-log', theirs(), ...calm, named, bad(theirs()), bad(naming()));
  await add(
    'completed-request',
    request({ createdBy: user, ...bodies }),
    request({ createdBy: 'org', ...bodies, requestBody: 'plain' }),
  );
  await add('completed-request', bad(request({ createdBy: user, ...bodies })), request({ createdBy: 'calm' }));
  await place.settled();
  const calmRows = await place.rowsOf(idsFrom(...calm));
  expect(calmRows).toHaveLength(3);

  // In queues, in each state.
  for (const queue of Object.values(queues)) await queue.pause();
  await add('execution-log', theirs(), waitsBeside, naming());
  const removed = await add('execution-log', theirs(), theirs());
  await add('completed-request', request({ createdBy: user, ...bodies }));
  const queue = queues['execution-log'];
  const data = (...records: string[]) => JSON.parse(chunk(...records).data) as object;
  const delayed = others();
  await queue.add('chunk', data(theirs(), delayed), { jobId: 'a-delayed', delay: 3_600_000 });
  await queue.add('chunk', data(theirs()), { jobId: 'a-delayed-whole', delay: 3_600_000 });
  await queue.add('chunk', data(theirs(), naming()), { jobId: 'a-prioritized', priority: 5 });
  const failed = await queue.add('chunk', data(theirs(), failsBeside), { jobId: 'a-failed', delay: 3_600_000 });
  const redis = new Redis(inject('redisUrl'));
  await redis.zrem(queue.toKey('delayed'), 'a-failed');
  await redis.zadd(queue.toKey('failed'), Date.now(), 'a-failed');
  await redis.hset(queue.toKey('a-failed'), 'failedReason', `value ${marker}`, 'finishedOn', Date.now());
  await redis.xadd(
    queue.toKey('events'),
    '*',
    'event',
    'failed',
    'jobId',
    'a-failed',
    'failedReason',
    `value ${marker}`,
  );
  redis.disconnect();
  expect(failed.id).toBe('a-failed');

  // On the disk of a producer that has died.
  const frames = [chunk(theirs(), spillsBeside), chunk(theirs()), chunk(others())].map(({ id, data }, index) =>
    encodeFrame({ id, data, records: index === 0 ? 2 : 1, writtenAtMs: Date.now() }),
  );
  const segment = Buffer.concat([encodeSegmentHeader(), ...frames]);
  await leaveSession(
    join(place.spillDir, `${place.namespace}.execution-log`),
    'web-1-1600000000000',
    await aDeadOwner(),
    [segment, Buffer.concat([encodeSegmentHeader(), frames[1] ?? Buffer.alloc(0)])],
  );

  const dry = await run('erase', 'user', user, '--spill', place.spillDir, '--dry-run', '--json');
  expect(dry).toMatchObject({ exitCode: 0 });
  expect(dry.json()).toMatchObject({
    dryRun: true,
    erased: { executions: 1, requests: 1, deadLetters: 2, queuedRecords: 8, spilledRecords: 3 },
    blanked: { executions: 1, requests: 1, deadLetters: 1, queuedRecords: 2, spilledRecords: 0 },
  });
  for (const text of [await place.dump(), await place.redis(), await place.disk()]) expect(tells(text)).toBe(true);

  // While it runs, records of theirs go on to come, made before, beside those of others.
  const late = Array.from({ length: 40 }, () => [theirs(), others()] as const);
  const coming = (async () => {
    for (const records of late) await add('execution-log', ...records);
  })();
  const erased = await run('erase', 'user', user, '--spill', place.spillDir, '--yes', '--json');
  await coming;
  expect(erased).toMatchObject({ exitCode: 0 });
  expect(erased.json()).toMatchObject({ subject: 'user', isDone: true });
  expect(erased.json()).toMatchObject({ erased: { executions: 1, requests: 1, deadLetters: 2, spilledRecords: 3 } });
  expect(tells(await place.disk())).toBe(false);
  expect(await queue.getJob(removed)).toBeUndefined();
  expect(await queue.getJob('a-delayed-whole')).toBeUndefined();
  expect((await queue.getJob('a-failed'))?.failedReason).toBe('erased');

  for (const each of Object.values(queues)) await each.resume();
  await (await queue.getJob('a-delayed'))?.promote();
  await queue.retryJobs();
  await place.settled();
  expect(await place.rowsOf(idsFrom(...calm))).toEqual(calmRows);
  const beside = [waitsBeside, failsBeside, delayed, ...late.map(([, other]) => other)].map(String);
  expect(await place.rowsOf(idsFrom(...beside))).toHaveLength(beside.length);
  const [row] = (
    await client.query('select * from strategy_execution_log where id = $1', [idsFrom(named).map(idOf)[0]])
  ).rows;
  expect(row).toMatchObject({
    external_user_id: 'other',
    trace: null,
    input: null,
    notes: 'erased in part',
    points: 12.5,
  });
  expect((await client.query('select created_by from request order by 1')).rows).toEqual([
    { created_by: 'calm' },
    { created_by: 'org' },
  ]);

  const places = { dump: await place.dump(), redis: await place.redis(), disk: await place.disk() };
  const logs = [...worker.stdout, ...worker.stderr, dry.stdout, dry.stderr, erased.stdout, erased.stderr].join('\n');
  for (const [name, text] of Object.entries({ ...places, logs })) expect([name, tells(text)]).toEqual([name, false]);
  expect(places.disk).toContain(spillsBeside);
});

test('erase user: while records stream in, none that was made before the end of it is left, and none of others is lost', async () => {
  const place = await aPlace();
  const { add, run, client } = place;
  await place.startWorker();
  const [mine, rest]: [string[], string[]] = [[], []];
  let isOver = false;
  const stream = async (): Promise<void> => {
    while (!isOver) {
      const records = [theirs(), naming(), others(), recordText(next(), { externalUserId: `${user}-b` })];
      mine.push(records[0] ?? '');
      rest.push(...records.slice(1));
      await add('execution-log', ...records);
      // A machine that is busy with something else shall not get a backlog of minutes.
      await sleep(20);
    }
  };
  const streams = [stream(), stream(), stream()];
  await until(async () => (await place.rowsOf(idsFrom(...mine))).length > 50);
  const erased = await run('erase', 'user', user, '--yes', '--json');
  const made = mine.length;
  await until(() => mine.length > made + 50);
  isOver = true;
  await Promise.all(streams);
  await place.settled();
  expect(erased).toMatchObject({ exitCode: 0 });
  expect(tells(erased.stderr)).toBe(false);
  const { erasedBefore } = erased.json() as { erasedBefore: string };
  const older = mine.filter((json) => (JSON.parse(json) as { recordedAt: string }).recordedAt <= erasedBefore);
  const since = mine.filter((json) => !older.includes(json));
  expect(older.length).toBeGreaterThan(50);
  expect(await place.rowsOf(idsFrom(...older))).toEqual([]);
  // What was made since then is of somebody who has come back.
  expect(await place.rowsOf(idsFrom(...since))).toHaveLength(since.length);
  expect(await place.rowsOf(idsFrom(...rest))).toHaveLength(rest.length);

  const again = await run('erase', 'user', user, '--yes', '--json');
  expect(again.json()).toMatchObject({ isDone: true, erased: { executions: since.length } });
  expect(tells(await place.dump())).toBe(false);
  expect(
    (await client.query('select from strategy_execution_log where external_user_id = $1', [`${user}-b`])).rowCount,
  ).toBe(rest.length / 3);
});

test('erase: chunks of a newer producer, on disk and in dead letters, are left and told of with the remedy, exit code 1', async () => {
  const { run, client, spillDir, namespace, disk } = await aPlace();
  const newer = JSON.stringify({ v: 99, producer: 'test', epoch: 1, seq: 1, encoding: 'zstd', records: 'KLUv' });
  const frame = encodeFrame({ id: 'newer', data: newer, records: 1, writtenAtMs: Date.now() });
  const segment = Buffer.concat([encodeSegmentHeader(), frame]);
  const parent = join(spillDir, `${namespace}.execution-log`);
  await leaveSession(parent, 'web-1-1600000000000', await aDeadOwner(), [segment]);
  await leaveSession(parent, 'web-2-1600000000000', (await aLivingOwner()).owner, [segment]);
  await client.query(
    `insert into dead_letter (queue, record_key, payload, code, reason, signature) values ('execution-log', 'newer', $1, 'newer', 'r', 's')`,
    [newer],
  );
  const before = await disk();
  const json = await run('erase', 'user', user, '--spill', spillDir, '--yes', '--wait', '0', '--json');
  expect(json).toMatchObject({ exitCode: 1 });
  expect(json.json()).toMatchObject({ left: { unreadableChunks: 2, unreadableDeadLetters: 1 }, isDone: false });
  const text = await run('erase', 'user', user, '--spill', spillDir, '--yes', '--wait', '0');
  expect(text).toMatchObject({ exitCode: 1 });
  expect(text.stdout).toContain(
    'remaining: 2 chunks on disk written by a newer producer: run `sluice erase` from that',
  );
  expect(text.stdout).toContain('remaining: 1 dead letters that are chunks of a newer producer: run');
  expect(await disk()).toBe(before);
  expect((await client.query('select payload from dead_letter')).rows).toEqual([{ payload: newer }]);
});

test('erase: it asks first, and what it is called with wrongly it says without doing anything', async () => {
  const { run, client } = await aPlace();
  const [unasked, empty, nothing, unknown, nowhere] = await Promise.all([
    run('erase', 'user', user),
    run('erase', 'user', ' ', '--yes'),
    run('erase', 'user', '-', '--yes'),
    run('erase', 'group', user, '--yes'),
    run('erase', 'user', user, '--yes', '--spill', '/nowhere'),
  ]);
  expect(unasked).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--yes') });
  for (const call of [empty, nothing])
    expect(call).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('the id is empty') });
  expect(unknown).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('user, realm') });
  expect(nowhere).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('/nowhere is not a readable directory'),
  });
  expect((await client.query('select from subject_erasure')).rowCount).toBe(0);
});
