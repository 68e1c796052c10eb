import { expect, test } from 'vitest';
import {
  countGames,
  findLease,
  findStoredOffset,
  readOutboxDepth,
  readStuckRecords,
  setStoredOffset,
} from '../../../queries/health/health.ts';
import { acquireLease, renewLease } from '../../../workers/health-events/lease.ts';
import { createHealthEvents } from '../../../workers/health-events/role.ts';
import { asRole, connect, createTestDatabase, until } from '../../support/fixtures.ts';
import {
  addEvent,
  connectRedis,
  createHealthKeys,
  insertRuntimeRecord,
  openDatabase,
  runtimeRecords,
} from '../../support/health.ts';
import { startRole } from '../../support/worker.ts';

const label = 'health_events';

async function setUp() {
  const databaseUrl = await createTestDatabase();
  return {
    database: openDatabase(databaseUrl),
    reader: openDatabase(asRole(databaseUrl, 'console')),
    databaseUrl,
    client: await connect(databaseUrl),
  };
}

test('health repository: of a consumer that never ran there is nothing', async () => {
  const { reader } = await setUp();
  expect(await findStoredOffset(reader, label)).toBeNull();
  expect(await findLease(reader, label)).toBeNull();
  expect(await readOutboxDepth(reader, label, 0)).toEqual({ rows: 0, oldestAgeMs: null });
  expect(await readStuckRecords(reader)).toEqual({ records: 0, gameIds: [] });
});

test('health repository: an offset set before anybody ever read is there, and the first lease fits it', async () => {
  const { database, reader } = await setUp();
  await setStoredOffset(database, { label, lastId: '5-0', entriesRead: 4 });
  expect(await findStoredOffset(reader, label)).toMatchObject({ lastId: '5-0', entriesRead: 4, fencingToken: 0 });
  expect(await findLease(reader, label)).toBeNull();
  expect(await acquireLease(database, { label, holder: 'a', ttlMs: 60_000 })).toMatchObject({ token: 1 });
});

test('health repository: setting the offset fences off whoever reads, at once, and keeps the count of what was lost', async () => {
  const { database, reader, client } = await setUp();
  const other = 'another';
  await acquireLease(database, { label: other, holder: 'b', ttlMs: 60_000 });
  const lease = await acquireLease(database, { label, holder: 'a', ttlMs: 60_000 });
  if (lease === null) throw new Error('the lease was free');
  await setStoredOffset(database, { label, lastId: '5-0', entriesRead: 4 });
  expect(await renewLease(database, lease, 60_000)).toBe(false);
  const again = await acquireLease(database, { label, holder: 'a', ttlMs: 60_000 });
  expect(again?.token).toBe(3);
  await client.query(
    `update stream_offset set gap_entries = 7, gap_at = now(), gap_after_id = '1-0', fencing_token = 3`,
  );

  await setStoredOffset(database, { label, lastId: '0-0', entriesRead: null });
  expect(await findStoredOffset(reader, label)).toMatchObject({
    lastId: '0-0',
    entriesRead: null,
    fencingToken: 4,
    gapEntries: 7,
    gapAfterId: '1-0',
  });
  expect(await findLease(reader, label)).toMatchObject({ holder: 'a', token: 4, isHeld: false });
  expect(await findLease(reader, other)).toMatchObject({ token: 1, isHeld: true });
});

test('health repository: an offset that is none is refused by the table, and nobody is fenced off', async () => {
  const { database, reader } = await setUp();
  await acquireLease(database, { label, holder: 'a', ttlMs: 60_000 });
  await expect(setStoredOffset(database, { label, lastId: '$', entriesRead: null })).rejects.toThrow();
  expect(await findLease(reader, label)).toMatchObject({ token: 1, isHeld: true });
});

test('health repository: a lease runs out by the clock of PostgreSQL', async () => {
  const { database, reader, client } = await setUp();
  await acquireLease(database, { label, holder: 'a', ttlMs: 60_000 });
  await client.query(
    `update stream_lease set acquired_at = now() - interval '1 hour', expires_at = now() - interval '1 minute'`,
  );
  const lease = await findLease(reader, label);
  expect(lease).toMatchObject({ holder: 'a', isHeld: false });
  expect(lease?.heldForMs).toBeGreaterThanOrEqual(3_600_000);
  expect(lease?.expiredForMs).toBeGreaterThanOrEqual(60_000);
  expect(lease?.expiredForMs).toBeLessThan(3_600_000);
});

test('health repository: the outbox counts what is not published, of its own label', async () => {
  const { reader, client } = await setUp();
  const rows = [label, label, label, 'another'].map((name, index) => [index + 1, name, `${4 - index} minutes`]);
  for (const row of rows)
    await client.query(
      `insert into lobby_outbox (seq, label, game_id, current_turn, runtime_status, engine_health_summary, occurred_at_ms, created_at)
       values ($1, $2, 'g', 1, 'running', 'healthy', 1, now() - $3::interval)`,
      row,
    );
  expect(await readOutboxDepth(reader, label, 0)).toMatchObject({ rows: 3 });
  const depth = await readOutboxDepth(reader, label, 1);
  expect(depth.rows).toBe(2);
  expect(depth.oldestAgeMs).toBeGreaterThanOrEqual(180_000);
  expect(depth.oldestAgeMs).toBeLessThan(240_000);
  expect(await readOutboxDepth(reader, label, 3)).toEqual({ rows: 0, oldestAgeMs: null });
});

test('health repository: games are counted by status, and those that are lost and healthy at once are stuck', async () => {
  const { reader, client } = await setUp();
  const games = ['engine_unreachable/healthy', 'engine_unreachable/exited', 'running/healthy', 'running/'];
  for (const [index, game] of games.entries()) {
    const [status, engine_health = ''] = game.split('/');
    await insertRuntimeRecord(client, { game_id: `g-${index}`, status: status as 'running', engine_health });
  }
  expect(await countGames(reader)).toEqual({
    starting: 0,
    running: 2,
    generation_in_progress: 0,
    generation_failed: 0,
    stopped: 0,
    engine_unreachable: 2,
    finished: 0,
  });
  expect(await readStuckRecords(reader)).toEqual({ records: 1, gameIds: ['g-0'] });
  for (const index of [6, 5, 4, 7])
    await insertRuntimeRecord(client, {
      game_id: `g-${index}`,
      status: 'engine_unreachable',
      engine_health: 'healthy',
      updated_at: new Date(index),
    });
  expect(await readStuckRecords(reader)).toEqual({ records: 5, gameIds: ['g-4', 'g-5', 'g-6'] });
});

test('health repository: a consumer at work goes on after the offset that is set', async () => {
  const { database, reader, client, databaseUrl } = await setUp();
  const { environment, stream } = createHealthKeys();
  const redis = connectRedis();
  await startRole(createHealthEvents, databaseUrl, 'unused', {
    ...environment,
    SLUICE_HEALTH_LEASE_MS: '500',
    SLUICE_HEALTH_BLOCK_MS: '50',
    SLUICE_HEALTH_GRACE_MS: '0',
  });
  // Of a game that is not known, so it is read and changes nothing.
  const lastId = await addEvent(redis, stream);
  await until(async () => (await findStoredOffset(reader, label))?.lastId === lastId);
  const before = await findLease(reader, label);
  await insertRuntimeRecord(client);
  await setStoredOffset(database, { label, lastId: '0-0', entriesRead: 0 });
  await until(async () => (await runtimeRecords(client))['game-1']?.engine_health === 'healthy');
  await until(async () => (await findStoredOffset(reader, label))?.lastId === lastId);
  expect((await findLease(reader, label))?.token).toBe((before?.token ?? 0) + 2);
});
