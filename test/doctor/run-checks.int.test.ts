import { randomBytes, randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { expect, inject, onTestFinished, test } from 'vitest';
import { storeDeadLetters, toDeadLetter } from '../../dead-letters/store.ts';
import { freePort } from '../../dev/servers/free-port.ts';
import { worstOf } from '../../doctor/finding.ts';
import { runChecks } from '../../doctor/run-checks.ts';
import { readMigrations } from '../../prisma/migration-files.ts';
import { setStoredOffset } from '../../queries/health/health.ts';
import { healthStream } from '../../shared/contracts/health-event.ts';
import { jobName } from '../../shared/contracts/queues.ts';
import { loadConfig } from '../../shared/platform/config/config.ts';
import { createDatabase } from '../../shared/platform/postgres/database.ts';
import {
  ensurePartitions,
  planPartitions,
  executionLogTable as table,
} from '../../shared/platform/postgres/partitions/partitions.ts';
import { queueKeys } from '../../shared/platform/redis/read-queue.ts';
import { acquireLease } from '../../workers/health-events/lease.ts';
import { fillShards } from '../support/filled-shards.ts';
import { findingOf } from '../support/finding-of.ts';
import { connect, createNamespace, createTestDatabase, openQueue, untilBlocked } from '../support/fixtures.ts';
import { addEvent, addEvents, connectRedis, createHealthKeys, insertRuntimeRecord } from '../support/health.ts';
import { makePrismaBooks } from '../support/prisma-books.ts';
import { startFragilePostgres, startFragileRedis } from '../support/private-servers.ts';
import { startWorker } from '../support/worker.ts';

/** Looks at servers as `sluice doctor` does. */
async function look(databaseUrl: string | null, redisUrl: string | null, more: Record<string, string> = {}) {
  const environment = {
    ...(databaseUrl === null ? {} : { DATABASE_URL: databaseUrl }),
    ...(redisUrl === null ? {} : { REDIS_URL: redisUrl }),
    ...more,
  };
  const { findings } = await runChecks(loadConfig(environment), environment);
  const about = (subject: string) => findings.filter((finding) => finding.subject === subject);
  return {
    findings,
    text: JSON.stringify(findings),
    about,
    worst: (subject: string) => worstOf(about(subject)),
    finding: (subject: string, check: string) => findingOf(about(subject), check),
  };
}

/** A database with all that the fleet wants of it. */
async function createReadyDatabase(): Promise<string> {
  const url = await createTestDatabase();
  const database = openDatabase(url);
  await ensurePartitions(database, table, planPartitions(table, Date.now(), 8));
  return url;
}

function openDatabase(url: string) {
  const database = createDatabase(loadConfig({ DATABASE_URL: url }).database, 'test');
  onTestFinished(() => database.$disconnect());
  return database;
}

/** A private Redis, and a connection to it with which to spoil it. */
async function startSpoilableRedis() {
  const server = await startFragileRedis();
  const client = new Redis(server.url, { retryStrategy: () => null });
  client.on('error', () => undefined);
  onTestFinished(() => client.disconnect());
  return { server, client };
}

function withPassword(url: string, password: string, user?: string): string {
  const changed = new URL(url);
  changed.password = password;
  if (user !== undefined) changed.username = user;
  return changed.href;
}

test('doctor: sound servers, with nobody at work, are all ok', async () => {
  const { server } = await startSpoilableRedis();
  const { findings, about } = await look(await createReadyDatabase(), server.url);
  expect(findings.filter(({ level }) => level !== 'ok')).toEqual([]);
  const subjects = [
    'host',
    'configuration',
    'redis',
    'postgres',
    'queue execution-log',
    'dead letters',
    'health events',
  ];
  for (const subject of subjects) expect(about(subject)).not.toEqual([]);
});

test('doctor: it reads and changes nothing', async () => {
  const { server, client } = await startSpoilableRedis();
  const databaseUrl = await createReadyDatabase();
  const admin = await connect(databaseUrl);
  await client.xadd(healthStream, '1-0', 'a', 'b');
  const name = new URL(databaseUrl).pathname.slice(1);
  await admin.query(`alter database "${name}" set default_transaction_read_only = on`);
  await client.config('RESETSTAT');
  const { about, finding } = await look(databaseUrl, server.url);

  expect(finding('postgres', 'writable')).toMatchObject({ level: 'failure' });
  expect(about('postgres').filter(({ check, level }) => level !== 'ok' && check !== 'writable')).toEqual([]);
  const stats = await client.info('commandstats');
  const commands = [...stats.matchAll(/^cmdstat_([^:]+):/gm)].map(([, command]) => command);
  const reading = ['hello', 'auth', 'client|setname', 'client|setinfo', 'info', 'time', 'config|get', 'client|list'];
  const readingQueues = ['hmget', 'hget', 'hgetall', 'llen', 'zcard', 'xlen', 'lindex', 'eval', 'eval_ro', 'exists'];
  const readingStreams = ['xinfo|stream', 'xread', 'get'];
  const expected = [...reading, ...readingQueues, ...readingStreams, 'config|resetstat'];
  expect(commands.filter((command = '') => !expected.includes(command))).toEqual([]);
  expect(commands).toContain('xread');
  expect(await client.keys('*')).toEqual([healthStream]);
});

test('doctor: a Redis that evicts keys is a failure once it has a limit, and a warning before', async () => {
  const { server, client } = await startSpoilableRedis();
  await client.config('SET', 'maxmemory-policy', 'allkeys-lru');
  expect((await look(null, server.url)).finding('redis', 'eviction')).toMatchObject({ level: 'warning' });
  await client.config('SET', 'maxmemory', '1gb');
  const { finding } = await look(null, server.url);
  expect(finding('redis', 'eviction')).toMatchObject({ level: 'failure' });
  expect(finding('redis', 'eviction').text).toContain('allkeys-lru');
});

test('doctor: a Redis without an append-only file is told apart from one without snapshots, too', async () => {
  const { server, client } = await startSpoilableRedis();
  await client.config('SET', 'appendonly', 'no');
  expect((await look(null, server.url)).finding('redis', 'persistence').level).toBe('failure');
  await client.config('SET', 'save', '3600 1');
  const { level, text } = (await look(null, server.url)).finding('redis', 'persistence');
  expect(level).toBe('warning');
  expect(text).toContain('3600 1');
});

test('doctor: a Redis whose rules forbid CONFIG and CLIENT LIST is looked at as far as it goes', async () => {
  const { server, client } = await startSpoilableRedis();
  await client.acl('SETUSER', 'tenant', 'on', '>tenantpassword', '~*', '+@all', '-config', '-client|list');
  const url = withPassword(server.url, 'tenantpassword', 'tenant');
  const { finding, worst } = await look(null, url);
  expect(worst('redis')).toBe('ok');
  expect(finding('queue execution-log', 'workers').level).toBe('warning');
  expect(finding('queue execution-log', 'workers').text).toContain('NOPERM');
  await client.config('SET', 'appendonly', 'no');
  expect((await look(null, url)).finding('redis', 'persistence').text).toContain('could not check whether');
});

test('doctor: a replica of Redis is a failure', async () => {
  const { server, client } = await startSpoilableRedis();
  await client.replicaof('127.0.0.1', await freePort());
  expect((await look(null, server.url)).finding('redis', 'role').level).toBe('failure');
});

test('doctor: a frozen Redis is a failure, and PostgreSQL is looked at all the same', async () => {
  const { server } = await startSpoilableRedis();
  server.freeze();
  const { about, worst, finding } = await look(await createReadyDatabase(), server.url);
  expect(about('redis').map(({ check, level }) => [check, level])).toEqual([['connection', 'failure']]);
  expect(finding('redis', 'connection').text).toContain('no answer');
  expect(worst('postgres')).toBe('ok');
});

test('doctor: a frozen PostgreSQL and one that is down are failures, and Redis is looked at all the same', async () => {
  const postgres = await startFragilePostgres();
  postgres.freeze();
  const frozen = await look(postgres.url, inject('redisUrl'));
  expect(frozen.about('postgres').map(({ check, level }) => [check, level])).toEqual([['connection', 'failure']]);
  expect(frozen.about('redis').length).toBeGreaterThan(1);
  postgres.thaw();
  await postgres.kill();
  const down = await look(postgres.url, inject('redisUrl'));
  expect(down.finding('postgres', 'connection').text).toContain('start the server');
  expect(down.about('redis').length).toBeGreaterThan(1);
});

test('doctor: wrong passwords are failures, and neither they nor the right ones are printed', async () => {
  const { server } = await startSpoilableRedis();
  const databaseUrl = await createTestDatabase();
  const wrong = await look(withPassword(databaseUrl, 'pg-s3cret'), withPassword(server.url, 'redis-s3cret'));
  expect(wrong.finding('postgres', 'connection').text).toContain('user and password');
  expect(wrong.finding('redis', 'connection').text).toContain('user and password');
  const right = await look(databaseUrl, server.url);
  const passwords = [new URL(databaseUrl).password, new URL(server.url).password].filter((text) => text !== '');
  for (const secret of ['s3cret', ...passwords]) expect(wrong.text + right.text).not.toContain(secret);
});

test('doctor: a server that is not there, a database number that is not there and a missing URL are told apart', async () => {
  const port = await freePort();
  const nobody = await look(`postgresql://u:p@127.0.0.1:${port}/d`, `redis://127.0.0.1:${port}`);
  expect(nobody.finding('redis', 'connection').text).toContain('ECONNREFUSED');
  expect(nobody.finding('postgres', 'connection').text).toContain('cannot be reached');
  const { server } = await startSpoilableRedis();
  const elsewhere = await look(null, `${server.url}/99`);
  expect(elsewhere.finding('redis', 'connection').text).toContain('the database number');
  expect(elsewhere.finding('postgres', 'connection').text).toContain('DATABASE_URL is not set');
});

test('doctor: an unmigrated database is one failure that says what to run', async () => {
  const admin = await connect(inject('postgresUrl'));
  const name = `${inject('runName')}_${randomBytes(4).toString('hex')}`;
  await admin.query(`create database "${name}"`);
  onTestFinished(() => admin.query(`drop database if exists "${name}" with (force)`).then(() => undefined));
  const url = new URL(inject('postgresUrl'));
  url.pathname = `/${name}`;
  const { about, finding } = await look(url.href, null);
  expect(finding('postgres', 'migrations').text).toContain('sluice migrate');
  expect(about('postgres').filter(({ level }) => level !== 'ok')).toHaveLength(1);
});

test('doctor: a migration that failed, and one that this build does not know, are told', async () => {
  const databaseUrl = await createReadyDatabase();
  const client = await connect(databaseUrl);
  const note = (name: string, finished: boolean) =>
    client.query(
      `insert into sluice_migration (name, checksum, finished_at) values ($1, 'x', ${finished ? 'now()' : 'null'})`,
      [name],
    );
  await note('99990101000000_from_the_future', true);
  expect((await look(databaseUrl, null)).finding('postgres', 'migrations')).toMatchObject({ level: 'warning' });
  await note('99990102000000_half_done', false);
  const { level, text } = (await look(databaseUrl, null)).finding('postgres', 'migrations');
  expect(level).toBe('failure');
  expect(text).toContain('99990102000000_half_done');
});

test('doctor: the books of another Prisma application are none of ours, and those of an earlier build of Sluice are', async () => {
  const databaseUrl = await createReadyDatabase();
  const client = await connect(databaseUrl);
  const known = await readMigrations();
  await makePrismaBooks(client, 'public', [
    { name: '99990101000000_theirs', checksum: 'x', state: 'applied' },
    { name: '99990102000000_theirs', checksum: 'x', state: 'failed' },
    ...known.slice(0, 1).map(({ name, checksum }) => ({ name, checksum, state: 'applied' as const })),
  ]);
  const judged = async () => (await look(databaseUrl, null)).finding('postgres', 'migrations');
  expect((await judged()).text).toContain(`all ${known.length} applied`);
  await client.query('drop table sluice_migration');
  expect((await judged()).text).toContain('1 applied, missing: ');
});

test("doctor: today's partition missing is a failure, a coming one a warning, as is a row in the DEFAULT partition", async () => {
  const databaseUrl = await createTestDatabase();
  const without = await look(databaseUrl, null);
  expect(without.finding('postgres', 'partitions').level).toBe('failure');
  expect(without.finding('postgres', 'default partition').level).toBe('ok');

  await ensurePartitions(openDatabase(databaseUrl), table, planPartitions(table, Date.now(), 2));
  const client = await connect(databaseUrl);
  await client.query(
    `insert into strategy_execution_log (id, recorded_at, strategy_id, strategy_version, strategy_type, status, duration_ms, nodes_executed, sampled, sample_rate)
     values (gen_random_uuid(), '2020-01-01', 's', 1, 'DSL_FULL', 'ok', 1, 1, true, 1)`,
  );
  const { finding } = await look(databaseUrl, null);
  expect(finding('postgres', 'partitions').level).toBe('warning');
  expect(finding('postgres', 'default partition').text).toMatch(/^1 rows/);
});

test("doctor: today's partition that was detached to be kept is missing, whatever its table is called", async () => {
  const databaseUrl = await createReadyDatabase();
  expect((await look(databaseUrl, null)).finding('postgres', 'partitions').level).toBe('ok');
  const today = `${table}_${new Date().toISOString().slice(0, 10).replaceAll('-', '')}`;
  await (await connect(databaseUrl)).query(`alter table ${table} detach partition ${today}`);
  expect((await look(databaseUrl, null)).finding('postgres', 'partitions')).toMatchObject({
    level: 'failure',
    text: expect.stringContaining(`today's is missing: ${today}_2`),
  });
});

test('doctor: a user who may read only, or add to some tables only, is a failure; who may not delete, a warning', async () => {
  const databaseUrl = await createReadyDatabase();
  const client = await connect(databaseUrl);
  const user = `${inject('runName')}_${randomBytes(4).toString('hex')}`;
  await client.query(`create role "${user}" login password 'reader-password'`);
  onTestFinished(async () => {
    const admin = await connect(databaseUrl);
    await admin.query(`drop owned by "${user}"`);
    await admin.query(`drop role "${user}"`);
    await admin.end();
  });
  const url = withPassword(databaseUrl, 'reader-password', user);
  const blind = await look(url, null);
  expect(blind.finding('dead letters', 'open').level).toBe('warning');
  await client.query(`grant select on all tables in schema public to "${user}"`);
  expect((await look(url, null)).finding('postgres', 'rights')).toMatchObject({ level: 'failure' });
  await client.query(`grant insert, update on ${table}, dead_letter to "${user}"`);
  expect((await look(url, null)).finding('postgres', 'rights')).toMatchObject({ level: 'failure' });
  await client.query(`grant insert, update on all tables in schema public to "${user}"`);
  // Rows of the outbox have numbers.
  expect((await look(url, null)).finding('postgres', 'rights')).toMatchObject({ level: 'failure' });
  await client.query(`grant usage on all sequences in schema public to "${user}"`);
  const mayNotDelete = (await look(url, null)).finding('postgres', 'rights');
  expect(mayNotDelete.level).toBe('warning');
  expect(mayNotDelete.text).toContain('delete rows that are due');
  await client.query(`grant delete on dead_letter, request, request_template, request_tombstone to "${user}"`);
  expect((await look(url, null)).finding('postgres', 'rights').text).toContain('delete rows that are due');
  await client.query(`grant delete on creator_erasure, subject_erasure, lobby_outbox, ledger_life, ledger_minute to "${user}"`);
  const mayNotPartition = (await look(url, null)).finding('postgres', 'rights');
  expect(mayNotPartition.level).toBe('warning');
  expect(mayNotPartition.text).not.toContain('delete rows that are due');
});

test('doctor: a session that waits for a lock on our tables is a warning', async () => {
  const databaseUrl = await createReadyDatabase();
  const holder = await connect(databaseUrl);
  const waiter = await connect(databaseUrl);
  await holder.query('begin');
  await holder.query('lock table strategy_execution_log in share mode');
  await waiter.query('begin');
  const waiting = waiter.query('lock table strategy_execution_log in row exclusive mode');
  await untilBlocked(databaseUrl);
  expect((await look(databaseUrl, null)).finding('postgres', 'locks')).toMatchObject({ level: 'warning' });
  await holder.query('rollback');
  await waiting;
});

test('doctor: a table that somebody has locked holds up the question about it, and no other', async () => {
  const databaseUrl = await createReadyDatabase();
  const holder = await connect(databaseUrl);
  await holder.query('begin');
  await holder.query('lock table dead_letter in access exclusive mode');
  const { about, finding } = await look(databaseUrl, null);
  expect(finding('dead letters', 'open').level).toBe('warning');
  expect(finding('dead letters', 'open').text).toContain('could not be checked');
  expect(about('postgres').filter(({ level }) => level !== 'ok')).toEqual([]);
});

test('doctor: a month that was made by hand has room for its days', async () => {
  const databaseUrl = await createTestDatabase();
  const client = await connect(databaseUrl);
  await client.query(
    `create table by_hand partition of strategy_execution_log for values from ('2000-01-01') to ('2100-01-01')`,
  );
  expect((await look(databaseUrl, null)).finding('postgres', 'partitions').level).toBe('ok');
});

test('doctor: dead letters are told by cause, without what is in them', async () => {
  const databaseUrl = await createReadyDatabase();
  const origin = { queue: 'execution-log', contractVersion: 1, jobId: 'j', producer: 'p' } as const;
  const reason = 'invalid value "a-private-thing"';
  await storeDeadLetters(openDatabase(databaseUrl), [
    toDeadLetter(JSON.stringify({ id: randomUUID() }), '22P05', reason, origin),
    toDeadLetter(JSON.stringify({ id: randomUUID() }), '22P05', reason, origin),
  ]);
  const { finding, text } = await look(databaseUrl, null);
  expect(finding('dead letters', 'open').level).toBe('warning');
  expect(finding('dead letters', 'open').text).toContain('2 of execution-log: 22P05 invalid value');
  expect(text).not.toContain('a-private-thing');
});

test('doctor: jobs that have waited long, with nobody there, and who opened the queue', async () => {
  const namespace = createNamespace();
  const queue = openQueue(namespace);
  await queue.add(jobName, {}, { timestamp: Date.now() - 20 * 60_000 });
  const seen = () => look(null, inject('redisUrl'), { SLUICE_NAMESPACE: namespace });
  const subject = 'queue execution-log';
  const { finding } = await seen();
  expect(finding(subject, 'backlog')).toMatchObject({ level: 'failure' });
  expect(finding(subject, 'backlog').text).toContain('1 jobs wait');
  expect(finding(subject, 'workers').text).toContain('none is connected, and jobs wait');
  expect(finding(subject, 'bullmq').level).toBe('ok');

  await queue.pause();
  expect((await seen()).finding(subject, 'backlog').text).toContain('paused');
  const redis = new Redis(inject('redisUrl'));
  onTestFinished(() => redis.disconnect());
  const meta = queueKeys('execution-log', namespace).of('meta');
  await redis.hset(meta, 'version', 'bullmq:5.1.0');
  expect((await seen()).finding(subject, 'bullmq')).toMatchObject({ level: 'failure' });
  await redis.del(meta);
  await redis.set(meta, 'of another type');
  expect((await seen()).finding(subject, 'jobs').text).toContain('WRONGTYPE');
});

test('doctor: a worker that waits for jobs is seen', async () => {
  const namespace = createNamespace();
  const databaseUrl = await createReadyDatabase();
  await startWorker(databaseUrl, namespace);
  const queue = openQueue(namespace);
  await expect.poll(() => queue.getWorkersCount()).toBe(1);
  const { finding } = await look(databaseUrl, inject('redisUrl'), { SLUICE_NAMESPACE: namespace });
  expect(finding('queue execution-log', 'workers')).toMatchObject({ level: 'ok' });
  expect(finding('queue execution-log', 'workers').text).toContain('1 connected');
});

test('doctor: health events that nobody reads are told, with their age; a consumer that holds the lease is', async () => {
  const { environment, stream, label } = createHealthKeys();
  const redis = connectRedis();
  const databaseUrl = await createReadyDatabase();
  const client = await connect(databaseUrl);
  const seen = () => look(databaseUrl, inject('redisUrl'), environment);
  const subject = 'health events';
  expect((await seen()).about(subject).map(({ message }) => message)).toEqual(['not used']);

  const oldId = await addEvent(redis, stream, {}, `${Date.now() - 20 * 60_000}-0`);
  const unread = await seen();
  expect(unread.finding(subject, 'lag')).toMatchObject({ level: 'failure' });
  expect(unread.finding(subject, 'lag').text).toContain(oldId);
  expect(unread.finding(subject, 'consumer').text).toContain('nobody has ever held the lease, and entries are unread');

  const database = openDatabase(databaseUrl);
  await acquireLease(database, { label, holder: 'me', ttlMs: 60_000 });
  await setStoredOffset(database, { label, lastId: oldId, entriesRead: 1 });
  await acquireLease(database, { label, holder: 'me again', ttlMs: 60_000 });
  const read = await seen();
  expect(read.about(subject).filter(({ level }) => level !== 'ok')).toEqual([]);
  expect(read.finding(subject, 'consumer').text).toContain('me again has held the lease');
  expect(read.finding(subject, 'offset').text).toContain(oldId);

  await insertRuntimeRecord(client, { status: 'engine_unreachable', engine_health: 'healthy' });
  await addEvents(redis, stream, [{}, {}, {}]);
  await redis.xtrim(stream, 'MAXLEN', 1);
  await client.query(
    `insert into lobby_outbox (label, game_id, current_turn, runtime_status, engine_health_summary, occurred_at_ms, created_at)
     values ($1, 'game-1', 1, 'running', 'healthy', 1, now() - interval '2 minutes')`,
    [label],
  );
  const { finding } = await seen();
  expect(finding(subject, 'stuck').text).toContain('1 games are engine_unreachable and healthy: game-1');
  expect(finding(subject, 'gap').text).toContain(`2 entries after ${oldId} were removed`);
  expect(finding(subject, 'outbox').text).toContain('1 snapshots wait');
});

test('doctor: health events of a Redis that may not be asked for them are a warning', async () => {
  const { server, client } = await startSpoilableRedis();
  await client.set(healthStream, 'of another type');
  const { about, finding } = await look(await createReadyDatabase(), server.url);
  expect(finding('health events', 'consumer').text).toContain('WRONGTYPE');
  expect(about('health events')).toHaveLength(1);
});

test('doctor: a queue of several shards is looked at as a whole, and the shard is named in which something is wrong', async () => {
  const namespace = createNamespace();
  const [, second] = await fillShards(namespace, [1, 2, 0, 3]);
  await second?.pause();
  const { finding } = await look(null, inject('redisUrl'), { SLUICE_NAMESPACE: namespace });
  const subject = 'queue execution-log';
  expect(finding(subject, 'backlog').text).toContain('execution-log-1 paused; 6 jobs wait');
  expect(finding(subject, 'workers').text).toContain('none is connected, and jobs wait');
  expect(finding(subject, 'shards')).toMatchObject({
    level: 'ok',
    text: expect.stringContaining(
      '3; SLUICE_QUEUE_SHARDS is 1 here, and jobs are also in execution-log-1, execution-log-3',
    ),
  });
});
