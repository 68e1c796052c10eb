import { expect, inject, onTestFinished, test } from 'vitest';
import { findStoredOffset } from '../../../queries/health/health.ts';
import { changeOffset, readOffset } from '../../../queries/health/health-offset.ts';
import { readHealthStatus } from '../../../queries/health/health-status.ts';
import { placeKey } from '../../../shared/contracts/lobby-event.ts';
import { loadConfig } from '../../../shared/platform/config/config.ts';
import { createDatabase } from '../../../shared/platform/postgres/database.ts';
import { acquireLease, releaseLease, renewLease } from '../../../workers/health-events/lease.ts';
import { asRole, connect, createTestDatabase } from '../../support/fixtures.ts';
import { addEvent, connectRedis, createHealthKeys, insertRuntimeRecord, openDatabase } from '../../support/health.ts';
import { redisEnvironment } from '../../support/redis-target.ts';

async function setUp(environment: Record<string, string> = {}) {
  const databaseUrl = await createTestDatabase();
  const keys = createHealthKeys();
  const { database: connection, health: config } = loadConfig({
    DATABASE_URL: databaseUrl,
    ...redisEnvironment(inject('redisUrl')),
    ...keys.environment,
    ...environment,
  });
  const database = createDatabase(connection, 'test');
  onTestFinished(() => database.$disconnect());
  const redis = connectRedis();
  const deps = { database, redis, config };
  /** as a console that only reads */
  const reading = { ...deps, database: openDatabase(asRole(databaseUrl, 'console')) };
  return {
    ...keys,
    ...deps,
    reading,
    client: await connect(databaseUrl),
    set: (id: string, force = false) => changeOffset(deps, id, { force }),
    /** Adds entries 1-0 to 5-0, and trims the first two. */
    async fill() {
      for (let id = 1; id <= 5; id += 1) await addEvent(redis, keys.stream, {}, `${id}-0`);
      await redis.xtrim(keys.stream, 'MAXLEN', 3);
    },
  };
}

test('health offset: it is told from nothing at all to one of our own', async () => {
  const { reading, fill, set, redis, stream, offsetKey } = await setUp();
  expect(await readOffset(reading)).toEqual({
    mode: 'hardened',
    label: 'health_events',
    offset: '0-0',
    savedIn: 'nowhere',
    entriesBehind: 0,
    lostEntries: 0,
    stored: null,
    original: { key: offsetKey, lastId: null },
    stream: { name: stream, entries: 0, firstId: null, lastId: null, exists: false },
  });
  await fill();
  await redis.set(offsetKey, '3-0');
  expect(await readOffset(reading)).toMatchObject({
    offset: '3-0',
    savedIn: 'redis',
    entriesBehind: 2,
    stream: { entries: 3, firstId: '3-0', lastId: '5-0', exists: true },
  });
  await set('4-0');
  expect(await readOffset(reading)).toMatchObject({ offset: '4-0', savedIn: 'postgres', entriesBehind: 1 });
  // The original's is its own, to go back to.
  expect(await redis.get(offsetKey)).toBe('3-0');
});

test('health offset: an id, earliest and latest are set with how many entries are behind them', async () => {
  const { fill, set } = await setUp();
  expect(await set('earliest')).toMatchObject({ after: '0-0', entriesRead: 0 });
  await fill();
  expect(await set('4-0')).toMatchObject({ before: '0-0', after: '4-0', entriesRead: 4 });
  // Those that are gone cannot be read again, and are not lost by going back.
  expect(await set('earliest')).toMatchObject({ before: '4-0', after: '0-0', entriesRead: 2 });
  expect(await set('latest')).toMatchObject({ before: '0-0', after: '5-0', entriesRead: 5 });
});

test('health offset: one after the end of the stream needs force, and latest needs a stream', async () => {
  const { fill, set, reading, label } = await setUp();
  await expect(set('latest')).rejects.toThrow('does not exist');
  await expect(set('latest', true)).rejects.toThrow('does not exist');
  await expect(set('1-0')).rejects.toThrow('--force sets the offset anyway');
  await fill();
  await expect(set('5-1')).rejects.toThrow('5-1 is after the last entry');
  expect(await findStoredOffset(reading.database, label)).toBeNull();
  expect(await set('5-1', true)).toMatchObject({ after: '5-1', entriesRead: 5 });
});

test('health offset: hardened, setting it takes the lease from whoever reads', async () => {
  const { fill, set, database, label } = await setUp();
  await fill();
  const lease = await acquireLease(database, { label, holder: 'me', ttlMs: 60_000 });
  if (lease === null) throw new Error('the lease was free');
  await set('4-0');
  expect(await renewLease(database, lease, 60_000)).toBe(false);
});

test("health offset: in mirror mode it is the original's key, which whoever reads would overwrite", async () => {
  const { reading, fill, set, redis, database, label, offsetKey } = await setUp({ HEALTH_EVENTS_MODE: 'mirror' });
  await fill();
  const lease = await acquireLease(database, { label, holder: 'me', ttlMs: 60_000 });
  if (lease === null) throw new Error('the lease was free');
  await expect(set('4-0')).rejects.toThrow('me reads the stream');
  expect(await redis.get(offsetKey)).toBeNull();
  await set('3-0', true);
  await releaseLease(database, lease);
  expect(await set('4-0')).toMatchObject({ mode: 'mirror', before: '3-0', after: '4-0' });
  expect(await redis.get(offsetKey)).toBe('4-0');
  expect(await findStoredOffset(reading.database, label)).toBeNull();
  expect(await readOffset(reading)).toMatchObject({ offset: '4-0', savedIn: 'redis', entriesBehind: 1 });

  await redis.set(offsetKey, 'abc');
  expect(await readOffset(reading)).toMatchObject({ offset: 'abc', entriesBehind: null });
  expect((await readHealthStatus(reading)).lag).toBeNull();
  expect(await set('4-0')).toMatchObject({ before: 'abc', after: '4-0' });
});

test('health status: it tells who reads, how far behind, and how the games are', async () => {
  const { reading, fill, set, client, redis, database, label, stream, lobbyStream } = await setUp();
  expect(await readHealthStatus(reading)).toMatchObject({
    lease: null,
    lag: { entries: 0, ms: 0 },
    gap: { entries: 0 },
  });
  await fill();
  await set('1-0');
  await client.query(
    `update stream_offset set entries_read = 1, gap_entries = 4, gap_after_id = '0-1', gap_before_id = '0-6', gap_at = now()`,
  );
  const lease = await acquireLease(database, { label, holder: 'me', ttlMs: 600_000 });
  await insertRuntimeRecord(client, { game_id: 'a' });
  await insertRuntimeRecord(client, { game_id: 'b', status: 'engine_unreachable', engine_health: 'healthy' });
  await client.query(
    `insert into dead_letter (queue, record_key, payload, code, reason, signature, state)
     select queue, queue || state, '{}', 'schema', 'r', 's', state
     from unnest($1::text[]) as queue, unnest('{open,stored}'::text[]) as state`,
    [[stream, 'execution-log']],
  );
  await client.query(
    `insert into lobby_outbox (seq, label, game_id, current_turn, runtime_status, engine_health_summary, occurred_at_ms)
     select seq, $1, 'a', 1, 'running', 'healthy', 1 from generate_series(1, 5) as seq`,
    [label],
  );
  await redis.hset(placeKey(lobbyStream), { epoch: lease?.epoch ?? '', token: 1, seq: 3 });

  const status = await readHealthStatus(reading);
  expect(status).toMatchObject({
    mode: 'hardened',
    label,
    stream,
    lease: { holder: 'me', token: 1, isHeld: true },
    lag: { entries: 3 },
    games: { running: 1, engine_unreachable: 1, stopped: 0 },
    stuck: { records: 1, gameIds: ['b'] },
    outbox: { rows: 2 },
    gap: { entries: 5, afterId: '0-1', beforeId: '0-6' },
    deadLetters: 1,
  });
  expect(status.lag?.ms).toBeGreaterThan(0);
});
