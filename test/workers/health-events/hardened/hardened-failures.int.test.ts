import { expect, test } from 'vitest';
import { createBullmqTransport } from '../../../../producers/core/transport.ts';
import { createRedis } from '../../../../shared/platform/redis/redis.ts';
import { createHealthEvents } from '../../../../workers/health-events/role.ts';
import type { RoleDeps } from '../../../../workers/runtime/role.ts';
import { recordText } from '../../../support/execution-fleet.ts';
import { connect, createNamespace, until } from '../../../support/fixtures.ts';
import { startSluice } from '../../../support/fleet.ts';
import type { WireEvent } from '../../../support/health.ts';
import { aHealthPlace, type HealthPlace } from '../../../support/health-place.ts';
import { startFragileRedis } from '../../../support/private-servers.ts';
import { targetOf } from '../../../support/redis-target.ts';
import { startRole } from '../../../support/worker.ts';

/** The numbers in the names are those of section 6 of the specification; the others are in hardened.int.test.ts. */

const at = (n: number) => ({ occurred_at_ms: String(1_775_121_800_000 + n) });
const event = (type: string, n = 0, game_id = 'game-1'): WireEvent => ({ game_id, event_type: type, ...at(n) });

type Worker = Awaited<ReturnType<HealthPlace['start']>>;

const consumed = (worker: Worker) => worker.metric('sluice_health_events_consumed_total', {});
const published = (worker: Worker) => worker.metric('sluice_lobby_events_published_total', {});
const results = (worker: Worker, result: string) => worker.metric('sluice_health_events_total', { result });

async function told(place: HealthPlace): Promise<string[]> {
  return (await place.lobby()).map(
    (entry) => `${entry['game_id']} ${entry['runtime_status']}/${entry['engine_health_summary']}`,
  );
}

/** Lets every write to a table fail, as a database in trouble does, until it is mended. */
async function breakTable({ client }: HealthPlace, table: string): Promise<{ mend(): Promise<void> }> {
  await client.query(`
    create table broken ();
    create function fail() returns trigger language plpgsql as $$
      begin
        if to_regclass('broken') is not null then raise exception 'in trouble' using errcode = '40001'; end if;
        return new;
      end $$;
    create trigger fail before insert or update on ${table} for each row execute function fail();`);
  return {
    mend: async () => {
      await client.query('drop table broken');
    },
  };
}

async function untilTried(worker: Worker, server: string, code: string): Promise<void> {
  await until(async () => (await worker.metric('sluice_health_retries_total', { server, code })) >= 2);
}

const nothingYet = { 'game-1': { status: 'running', engine_health: '' } };

test('hardened: 19. an event of an unknown game is a dead letter: nothing else is written, nothing is told (mirror: a line in the log)', async () => {
  const place = await aHealthPlace();
  await place.insert({ game_id: 'game-2' });
  const worker = await place.start({ SLUICE_HEALTH_GRACE_MS: '0' });
  // A game is not trimmed: the record of another name is not found.
  await place.add(event('container_oom'), event('container_oom', 1, ' game-2'));
  await until(async () => (await consumed(worker)) === 2);
  await place.settled();
  expect(await place.records()).toMatchObject({ 'game-2': { status: 'running', engine_health: '' } });
  expect(Object.keys(await place.records())).toEqual(['game-2']);
  expect(await place.deadLetters()).toMatchObject([{ code: 'unknown_game' }, { code: 'unknown_game' }]);
  expect(await told(place)).toEqual([]);
});

test('hardened: 20. the record cannot be read: the same batch again, nothing is lost (mirror: the event is lost)', async () => {
  const place = await aHealthPlace();
  await place.insert({});
  const worker = await place.start();
  await place.client.query('alter table health_event_watermark rename to away');
  await place.add(event('container_oom'));
  await untilTried(worker, 'postgres', '42P01');
  expect(await worker.metric('sluice_database_outage', {})).toBe(1);
  expect(await place.records()).toMatchObject(nothingYet);
  await place.client.query('alter table away rename to health_event_watermark');
  await until(async () => (await consumed(worker)) === 1);
  await place.settled();
  expect(await told(place)).toEqual(['game-1 engine_unreachable/oom']);
  expect(await worker.metric('sluice_database_outage', {})).toBe(0);
});

test.each([
  ['21. the status cannot be changed', 'runtime_record', '(mirror: the old health is told)'],
  ['22. the record cannot be written', 'health_event_watermark', '(mirror: the old health is told)'],
  ['23. the snapshot cannot be stored', 'lobby_outbox', '(mirror: it is not told)'],
  ['37. the offset cannot be stored', 'stream_offset', '(mirror: the worker ends, the event has been taken in)'],
])('hardened: %s: nothing of the batch is, then all of it, once %s %s', async (_, table) => {
  const place = await aHealthPlace();
  await place.insert({}, { game_id: 'game-2' });
  const worker = await place.start();
  await until(async () => (await place.offset()) !== undefined);
  const { mend } = await breakTable(place, table);
  const ids = await place.add(event('container_oom'), event('probe_failed', 1, 'game-2'));
  await untilTried(worker, 'postgres', '40001');
  expect(await place.records()).toMatchObject(nothingYet);
  expect(await place.offset()).toMatchObject({ last_id: '0-0' });
  expect((await place.client.query('select from lobby_outbox')).rowCount).toBe(0);
  expect(await told(place)).toEqual([]);
  await mend();
  await until(async () => (await consumed(worker)) === 2);
  await place.settled();
  expect(await place.records()).toMatchObject({
    'game-1': { status: 'engine_unreachable', engine_health: 'oom' },
    'game-2': { status: 'running', engine_health: 'probe_failed' },
  });
  expect(await told(place)).toEqual(['game-1 engine_unreachable/oom', 'game-2 running/probe_failed']);
  expect(await place.offset()).toMatchObject({ last_id: ids[1] });
  expect(await results(worker, 'duplicate')).toBe(0);
});

test('hardened: 22. a record that is gone when it is to be written: its event is that of an unknown game', async () => {
  const place = await aHealthPlace();
  await place.insert({});
  const other = await connect(place.databaseUrl);
  await other.query('begin');
  await other.query('select from runtime_record for update');
  const worker = await place.start({ SLUICE_HEALTH_GRACE_MS: '0' });
  await place.add(event('probe_failed'));
  await until(async () => (await worker.metric('sluice_health_conflicts_total', {})) > 0);
  await other.query('delete from runtime_record');
  await other.query('commit');
  await until(async () => (await consumed(worker)) === 1);
  await place.settled();
  expect(await place.deadLetters()).toMatchObject([{ code: 'unknown_game' }]);
  expect(await told(place)).toEqual([]);
});

test('hardened: 24. a snapshot that cannot be told is told when it can be, and counted once (mirror: it is lost until the next of its kind)', async () => {
  const { url } = await startFragileRedis();
  const place = await aHealthPlace({ redisUrl: url });
  await place.insert({});
  await place.add(event('probe_failed'));
  // Reads are answered, writes refused: the relay, too, is.
  await place.redis.config('SET', 'min-replicas-to-write', 1);
  const worker = await place.start();
  await until(async () => (await consumed(worker)) === 1);
  await untilTried(worker, 'redis', 'NOREPLICAS');
  expect((await place.records())['game-1']?.engine_health).toBe('probe_failed');
  expect([await published(worker), await told(place)]).toEqual([0, []]);
  await place.redis.config('SET', 'min-replicas-to-write', 0);
  await until(async () => (await published(worker)) === 1);
  await place.settled();
  expect(await told(place)).toEqual(['game-1 running/probe_failed']);
});

test('hardened: 25, 26, 27, 28, 29. told are: the first event of a game, another health, a transition; each game by itself', async () => {
  const place = await aHealthPlace();
  await place.insert({}, { game_id: 'game-2', status: 'engine_unreachable', engine_health: 'healthy' });
  const worker = await place.start();
  const story: [type: string, game: string, isTold: boolean][] = [
    ['container_started', 'game-1', true], // 25
    ['container_started', 'game-1', false], // 26
    ['probe_failed', 'game-1', true], // 27
    ['probe_failed', 'game-1', false],
    ['container_started', 'game-2', true], // 29
    ['probe_recovered', 'game-2', true], // 28: its health is the one that was told last
    ['container_started', 'game-1', true],
  ];
  await place.add(...story.map(([type, game], index) => event(type, index, game)));
  await until(async () => (await consumed(worker)) === story.length);
  await place.settled();
  expect(await told(place)).toEqual([
    'game-1 running/healthy',
    'game-1 running/probe_failed',
    'game-2 engine_unreachable/healthy',
    'game-2 running/healthy',
    'game-1 running/healthy',
  ]);
  expect(story.filter(([, , isTold]) => isTold)).toHaveLength(5);
});

test('hardened: 26. an event that is not told is written all the same', async () => {
  const place = await aHealthPlace();
  await place.insert({});
  await place.start();
  await place.add(event('probe_failed'));
  await place.settled();
  await place.client.query("update runtime_record set engine_health = 'healthy'");
  await place.add(event('probe_failed', 1));
  await place.settled();
  expect((await place.records())['game-1']?.engine_health).toBe('probe_failed');
  expect(await told(place)).toHaveLength(1);
});

test('hardened: 25-30. what was told is remembered: a new worker tells nothing twice (mirror: one snapshot for each game)', async () => {
  const place = await aHealthPlace();
  await place.insert({}, { game_id: 'game-2' });
  const batches = [0, 1].map((round) =>
    ['game-1', 'game-2', 'game-2', 'game-1'].map((game, index) => event('container_started', round * 4 + index, game)),
  );
  for (const batch of batches) {
    const worker = await place.start();
    await place.add(...batch);
    await place.settled();
    await until(async () => (await consumed(worker)) === 4);
    await worker.stop();
  }
  expect(await told(place)).toEqual(['game-1 running/healthy', 'game-2 running/healthy']);
});

test('hardened: 31. a snapshot says what the record is as its event is stored, no player statistics, and the time of the worker', async () => {
  const place = await aHealthPlace();
  await place.insert({ current_turn: 8, status: 'generation_in_progress' });
  const earliest = Date.now();
  await place.start();
  await place.add({ ...event('probe_failed'), occurred_at_ms: '5' });
  await place.settled();
  const [snapshot, ...more] = await place.lobby();
  expect({ snapshot, more }).toEqual({
    snapshot: {
      event_type: 'runtime_snapshot_update',
      game_id: 'game-1',
      current_turn: '8',
      runtime_status: 'generation_in_progress',
      engine_health_summary: 'probe_failed',
      player_turn_stats: '[]',
      occurred_at_ms: expect.stringMatching(/^\d+$/),
    },
    more: [],
  });
  const ms = Number(snapshot?.['occurred_at_ms']);
  expect(ms >= earliest && ms <= Date.now()).toBe(true);
});

test('hardened: 32, 41. a worker that is stopped before it begins reads nothing; stopped again, it does no harm', async () => {
  const place = await aHealthPlace();
  await place.insert({});
  await place.add(event('probe_failed'));
  const createStopped = (deps: RoleDeps) => {
    const role = createHealthEvents(deps);
    void role.stop(1_000);
    return role;
  };
  const worker = await startRole(createStopped, place.databaseUrl, createNamespace(), place.keys.environment);
  expect(await worker.stop()).toBe(true);
  expect(await place.offset()).toBeUndefined();
  expect((await place.client.query('select from stream_lease')).rowCount).toBe(0);
});

test('hardened: 33. the offset cannot be loaded: it is waited for (mirror: the worker ends)', async () => {
  const place = await aHealthPlace();
  await place.insert({});
  await place.add(event('probe_failed'));
  const first = await place.start();
  await place.settled();
  await first.stop();
  await place.client.query('alter table stream_offset rename to away');
  const starting = place.start();
  await place.add(event('container_oom', 1));
  await place.client.query('alter table away rename to stream_offset');
  const second = await starting;
  await place.settled();
  await until(async () => (await consumed(second)) === 1);
  expect(await told(place)).toEqual(['game-1 running/probe_failed', 'game-1 engine_unreachable/oom']);
});

test('hardened: 34, 35, 36. reading begins with the first entry, and goes on after the offset; that moves with each entry, whatever it was, in PostgreSQL (mirror: in Redis, after the effect)', async () => {
  const place = await aHealthPlace();
  const offsets = await place.watchOffsets();
  await place.insert({});
  const oneByOne = { SLUICE_HEALTH_BATCH_MAX_ENTRIES: '1', SLUICE_HEALTH_GRACE_MS: '0' };
  const events = [{}, { game_id: undefined }, { event_type: 'unknown' }, { game_id: 'game-2' }, {}];
  const ids = await place.add(...events);
  const first = await place.start(oneByOne);
  await until(async () => (await consumed(first)) === events.length);
  await place.settled();
  await first.stop();
  ids.push(...(await place.add({})));
  const second = await place.start(oneByOne);
  await until(async () => (await consumed(second)) === 1);
  expect(await offsets()).toEqual(ids);
  expect(await place.offset()).toMatchObject({ last_id: ids.at(-1), entries_read: '6' });
  expect(await place.redis.get(place.keys.offsetKey)).toBeNull();
});

test('hardened: 38. while there is nothing to read it goes on asking', async () => {
  const { url } = await startFragileRedis();
  const place = await aHealthPlace({ redisUrl: url });
  await place.insert({});
  const worker = await place.start({ SLUICE_HEALTH_BLOCK_MS: '1' });
  const reads = async () => Number(/cmdstat_xread:calls=(\d+)/.exec(await place.redis.info('commandstats'))?.[1] ?? 0);
  await until(async () => (await reads()) > 20);
  await place.add(event('probe_failed'));
  await until(async () => (await published(worker)) === 1);
});

test('hardened: 39, 41. stopped while it waits for an entry, it ends, its connections are closed and the lease is free', async () => {
  const { url } = await startFragileRedis();
  const place = await aHealthPlace({ redisUrl: url });
  const worker = await place.start({ SLUICE_HEALTH_BLOCK_MS: '10000', SLUICE_HEALTH_LEASE_MS: '3600000' });
  const clients = async () => String(await place.redis.client('LIST'));
  await until(async () => /name=sluice:health:reader .* flags=b .* cmd=xread /.test(await clients()));
  expect(await Promise.all([worker.stop(), worker.stop()])).toEqual([true, true]);
  await until(async () => !(await clients()).includes('sluice:health'));
  const { rows } = await place.client.query('select expires_at <= now() as "isFree" from stream_lease');
  expect(rows).toEqual([{ isFree: true }]);
});

test('hardened: 40. a connection that somebody cuts is made again (mirror: the worker ends when that fails)', async () => {
  const { url } = await startFragileRedis();
  const place = await aHealthPlace({ redisUrl: url });
  await place.insert({});
  const worker = await place.start();
  await place.add(event('probe_failed'));
  await until(async () => (await published(worker)) === 1);
  await place.redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  await place.add(event('container_oom', 1));
  await until(async () => (await published(worker)) === 2);
  expect(await told(place)).toEqual(['game-1 running/probe_failed', 'game-1 engine_unreachable/oom']);
});

test('hardened: 40. while a key is no stream it is not ready and says what to do, and goes on by itself (mirror: it ends)', async () => {
  const place = await aHealthPlace();
  await place.insert({});
  await place.redis.set(place.keys.stream, 'no stream');
  const worker = await place.start();
  await until(() => worker.notReadyReason()?.includes('SLUICE_HEALTH_STREAM'));
  expect(worker.notReadyReason()).toMatch(/^Redis does not carry out its commands: WRONGTYPE: /);
  await until(async () => (await worker.metric('sluice_health_retries_total', { code: 'WRONGTYPE' })) >= 3);
  await place.redis.del(place.keys.stream);
  await place.add(event('probe_failed'));
  await until(async () => (await published(worker)) === 1);
  expect(worker.notReadyReason()).toBeNull();
});

test('hardened: 40. a right that is missing costs no other role of the process, and is asked for until it is there', async () => {
  const { url } = await startFragileRedis();
  const place = await aHealthPlace({ redisUrl: url });
  await place.insert({});
  await place.start().then((worker) => until(() => place.offset()).then(() => worker.stop()));
  // It shows within a transaction or a script only.
  await place.redis.call('ACL', 'SETUSER', 'reader', 'on', '>secret', '~*', '+@all', '-xinfo');
  const limited = new URL(url);
  limited.username = 'reader';
  limited.password = 'secret';
  const worker = await startSluice(['worker', 'health-events', 'execution-log'], {
    ...{ DATABASE_URL: place.databaseUrl, REDIS_URL: limited.href, SLUICE_WORKER_PORT: '0' },
    ...{ SLUICE_RETRY_MAX_MS: '200', ...place.keys.environment },
  });
  const lines = () => worker.stdout.map((line) => JSON.parse(line) as { msg: string; url?: string });
  const probes = await until(() => lines().find(({ msg }) => msg === 'worker is up')?.url);
  const ready = async () => (await fetch(`${probes}/readyz`)).text();
  await until(async () => /NOPERM.*allow the user of REDIS_URL/.test(await ready()));
  await until(() => lines().some(({ msg }) => msg === 'taking jobs'));
  await insertExecutionJob(url);
  await until(async () => (await place.client.query('select from strategy_execution_log')).rowCount);
  await place.redis.call('ACL', 'SETUSER', 'reader', '+xinfo');
  await until(async () => (await fetch(`${probes}/readyz`)).ok);
  worker.kill('SIGTERM');
  expect(await worker.ended).toBe(0);
});

/** One execution in the queue of the default namespace. */
async function insertExecutionJob(url: string): Promise<void> {
  const redis = createRedis(targetOf(url), { role: 'producer', name: 'test', logger: null });
  const transport = createBullmqTransport({ redis, queue: 'execution-log', namespace: 'sluice' });
  await transport.send([
    { id: 'job-1', data: `{"v":1,"producer":"test","epoch":1,"seq":1,"records":[${recordText(1)}]}` },
  ]);
  await transport.close();
}
