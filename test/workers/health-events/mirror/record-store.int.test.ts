import { expect, test } from 'vitest';
import { runtimeStatuses } from '../../../../shared/contracts/runtime-status.ts';
import { createLobbyPublisher } from '../../../../workers/health-events/mirror/lobby-publisher.ts';
import { createOffsetStore } from '../../../../workers/health-events/mirror/offset-store.ts';
import { createRecordStore } from '../../../../workers/health-events/mirror/record-store.ts';
import { connect, createTestDatabase } from '../../../support/fixtures.ts';
import {
  connectRedis,
  createHealthKeys,
  insertRuntimeRecord,
  lobbyEntries,
  openDatabase,
  runtimeRecords,
} from '../../../support/health.ts';

const nowMs = Date.UTC(2026, 4, 3, 12);
const now = new Date(nowMs);

async function aRecordStore() {
  const databaseUrl = await createTestDatabase();
  const client = await connect(databaseUrl);
  return { client, store: createRecordStore(openDatabase(databaseUrl)) };
}

test('record store: a game is read by its exact name, or is not there', async () => {
  const { client, store } = await aRecordStore();
  await insertRuntimeRecord(client, { engine_health: 'oom' });
  expect(await store.get('game-1')).toEqual({
    gameId: 'game-1',
    status: 'running',
    engineHealth: 'oom',
    currentTurn: 7,
  });
  for (const gameId of ['game-2', 'GAME-1', ' game-1', 'game-1 ', '']) expect(await store.get(gameId)).toBeNull();
});

test('record store: a transition that is not in the table is refused without asking the database', async () => {
  const store = createRecordStore(openDatabase('postgresql://127.0.0.1:1/nothing-listens-here'));
  for (const from of runtimeStatuses) {
    expect(await store.updateStatus({ gameId: 'game-1', from, to: 'starting', nowMs })).toBe('invalid_transition');
  }
  await expect(store.updateStatus({ gameId: 'game-1', from: 'starting', to: 'running', nowMs })).rejects.toThrow();
});

test('record store: a status is changed from the one that was expected only', async () => {
  const { client, store } = await aRecordStore();
  await insertRuntimeRecord(client);
  const update = { gameId: 'game-1', from: 'running', to: 'engine_unreachable', summary: 'oom', nowMs } as const;
  expect(await store.updateStatus(update)).toBe('updated');
  const [after] = Object.values(await runtimeRecords(client));
  expect(after).toMatchObject({ status: 'engine_unreachable', engine_health: 'oom', updated_at: now });
  expect(await store.updateStatus({ ...update, summary: 'exited' })).toBe('conflict');
  expect(await store.updateStatus({ ...update, gameId: 'game-2' })).toBe('not_found');
  expect(Object.values(await runtimeRecords(client))).toEqual([after]);
});

test('record store: of many that change the same status at once, one does', async () => {
  const { client, store } = await aRecordStore();
  await insertRuntimeRecord(client);
  const update = { gameId: 'game-1', from: 'running', to: 'engine_unreachable', nowMs } as const;
  const outcomes = await Promise.all(Array.from({ length: 8 }, () => store.updateStatus(update)));
  expect(outcomes.sort()).toEqual([...new Array(7).fill('conflict'), 'updated']);
});

test('record store: without a summary the health stays', async () => {
  const { client, store } = await aRecordStore();
  await insertRuntimeRecord(client, { engine_health: 'healthy' });
  await store.updateStatus({ gameId: 'game-1', from: 'running', to: 'generation_in_progress', nowMs });
  expect((await runtimeRecords(client))['game-1']).toMatchObject({
    status: 'generation_in_progress',
    engine_health: 'healthy',
  });
});

test.each([
  ['starting', 'running', { started_at: now, stopped_at: null, finished_at: null }],
  ['engine_unreachable', 'running', { started_at: null, stopped_at: null, finished_at: null }],
  ['running', 'stopped', { started_at: null, stopped_at: now, finished_at: null }],
  ['generation_in_progress', 'finished', { started_at: null, stopped_at: null, finished_at: now }],
] as const)('record store: from %s to %s the times are those of the change', async (from, to, times) => {
  const { client, store } = await aRecordStore();
  await insertRuntimeRecord(client, { status: from });
  expect(await store.updateStatus({ gameId: 'game-1', from, to, nowMs })).toBe('updated');
  expect((await runtimeRecords(client))['game-1']).toMatchObject({ status: to, updated_at: now, ...times });
});

test('record store: the health is changed in whatever status, and nothing else is but the time', async () => {
  const { client, store } = await aRecordStore();
  for (const status of runtimeStatuses) await insertRuntimeRecord(client, { game_id: status, status });
  const before = await runtimeRecords(client);
  for (const gameId of runtimeStatuses) {
    expect(await store.updateEngineHealth({ gameId, summary: 'oom', nowMs })).toBe('updated');
    before[gameId] = Object.assign({}, before[gameId], { engine_health: 'oom', updated_at: now });
    expect(await runtimeRecords(client)).toEqual(before);
  }
  expect(await store.updateEngineHealth({ gameId: 'game-1', summary: 'oom', nowMs })).toBe('not_found');
});

test('offset store: what was saved last is loaded, nothing when nothing was, whatever it is when somebody else saved it', async () => {
  const { offsetKey, service } = createHealthKeys();
  const redis = connectRedis();
  const store = createOffsetStore({ redis, service });
  expect(await store.load('health_events')).toBeNull();
  await store.save('health_events', '1-0');
  await store.save('health_events', '1-1');
  expect(await redis.get(offsetKey)).toBe('1-1');
  expect(await store.load('health_events')).toBe('1-1');
  expect(await store.load('other')).toBeNull();
  await redis.set(offsetKey, 'no id');
  expect(await store.load('health_events')).toBe('no id');
});

test('offset store: a blank label and a blank id are not saved', async () => {
  const { service } = createHealthKeys();
  const redis = connectRedis();
  const store = createOffsetStore({ redis, service });
  for (const blank of ['', ' ', '\u0085']) {
    await expect(store.save(blank, '1-0')).rejects.toThrow(RangeError);
    await expect(store.save('health_events', blank)).rejects.toThrow(RangeError);
  }
  expect(await redis.keys(`${service}:*`)).toEqual([]);
});

test('lobby publisher: each snapshot is an entry with the fields of the contract', async () => {
  const { lobbyStream } = createHealthKeys();
  const redis = connectRedis();
  const lobby = createLobbyPublisher({ redis, stream: lobbyStream });
  const snapshot = { gameId: 'game-1', currentTurn: 0, runtimeStatus: 'running', occurredAtMs: nowMs };
  for (const engineHealthSummary of ['', 'oom']) await lobby.publish({ ...snapshot, engineHealthSummary });
  const entry = {
    event_type: 'runtime_snapshot_update',
    game_id: 'game-1',
    current_turn: '0',
    runtime_status: 'running',
    player_turn_stats: '[]',
    occurred_at_ms: '1777809600000',
  };
  expect(await lobbyEntries(redis, lobbyStream)).toEqual([
    { ...entry, engine_health_summary: '' },
    { ...entry, engine_health_summary: 'oom' },
  ]);
});
