import { expect, test } from 'vitest';
import { snapshotEventType } from '../../../../shared/contracts/lobby-event.ts';
import type { LobbyEntry } from '../../../support/health.ts';
import { aMirror, before, failingAt, type Mirror, toldToFail } from '../../../support/mirror.ts';

/** The numbers in the names are those of section 6 of the specification, or of section 7 or 8 where that is said. */

const warning = 40;

function lobbyOf(mirror: Mirror): Promise<[string | undefined, string | undefined][]> {
  return mirror.lobby().then((entries) => entries.map(toPair));
}

function toPair(entry: LobbyEntry): [string | undefined, string | undefined] {
  return [entry['runtime_status'], entry['engine_health_summary']];
}

test('mirror: 19. an event of an unknown game is passed over: nothing is written, nothing is published', async () => {
  const mirror = await aMirror();
  await mirror.insert({ game_id: 'game-2' });
  expect(await mirror.start().take({ event_type: 'container_oom' })).toBe(true);
  expect(mirror.seen).toEqual({ calls: ['get'], saved: [], consumed: 1, published: [] });
  expect(Object.keys(await mirror.records())).toEqual(['game-2']);
  expect((await mirror.records())['game-2']?.engine_health).toBe('');
  expect(mirror.log).toMatchObject([{ level: warning, game_id: 'game-1', event_type: 'container_oom' }]);
});

test('mirror: 19. a game is not trimmed: the record of another name is not found', async () => {
  const mirror = await aMirror();
  await mirror.insert();
  await mirror.start().take({ game_id: ' game-1' });
  expect(mirror.seen).toMatchObject({ calls: ['get'], published: [] });
});

test('mirror: 20. an event whose record cannot be read is lost: nothing is written, nothing is published', async () => {
  const mirror = await aMirror();
  await mirror.insert();
  const { take } = mirror.start({ records: failingAt(mirror.deps.records, 'get') });
  expect(await take({ event_type: 'container_oom' })).toBe(true);
  expect(mirror.seen).toEqual({ calls: [], saved: [], consumed: 1, published: [] });
  expect((await mirror.records())['game-1']).toMatchObject({ status: 'running', engine_health: '' });
  expect(mirror.log).toMatchObject([{ level: warning, game_id: 'game-1', err: { message: toldToFail.message } }]);
});

test('mirror: 20. a game whose name the database refuses is lost the same way', async () => {
  const mirror = await aMirror();
  expect(await mirror.start().take({ game_id: 'game\u0000' })).toBe(true);
  expect(mirror.seen).toMatchObject({ calls: ['get'], consumed: 1, published: [] });
  expect(mirror.log).toMatchObject([{ level: warning, err: { message: expect.any(String) } }]);
});

test('mirror: 21. when the status cannot be changed the health is left alone, and the snapshot says the old', async () => {
  const mirror = await aMirror();
  await mirror.insert({ engine_health: 'healthy' });
  const { take } = mirror.start({ records: failingAt(mirror.deps.records, 'updateStatus') });
  await take({ event_type: 'container_oom' });
  expect(mirror.seen).toMatchObject({ calls: ['get', 'get'], consumed: 1, published: [snapshotEventType] });
  expect(await lobbyOf(mirror)).toEqual([['running', 'healthy']]);
  expect(mirror.log).toMatchObject([{ level: warning, err: { message: toldToFail.message } }]);
});

test('mirror: 21. a record that is gone when its status is to be changed counts as a failure', async () => {
  const mirror = await aMirror();
  await mirror.insert();
  const records = before(mirror.deps.records, async (method) => {
    if (method === 'updateStatus') await mirror.client.query('delete from runtime_record');
  });
  await mirror.start({ records }).take({ event_type: 'container_oom' });
  expect(mirror.seen).toMatchObject({ calls: ['get', 'updateStatus', 'get'], consumed: 1, published: [] });
  expect(mirror.log.map(({ level }) => level)).toEqual([warning, warning]);
});

test('mirror: 22. a record that is gone when its health is to be changed is not worth a word, until it is read again', async () => {
  const mirror = await aMirror();
  await mirror.insert();
  const records = before(mirror.deps.records, async (method) => {
    if (method === 'updateEngineHealth') await mirror.client.query('delete from runtime_record');
  });
  await mirror.start({ records }).take({ event_type: 'probe_failed' });
  expect(mirror.seen).toMatchObject({ calls: ['get', 'updateEngineHealth', 'get'], consumed: 1, published: [] });
  expect(mirror.log).toMatchObject([{ level: warning, msg: 'record of a snapshot could not be read' }]);
});

test('mirror: 22. when the health cannot be changed the snapshot is published all the same', async () => {
  const mirror = await aMirror();
  await mirror.insert();
  const { take } = mirror.start({ records: failingAt(mirror.deps.records, 'updateEngineHealth') });
  await take({ event_type: 'probe_failed' });
  expect(mirror.seen).toMatchObject({ calls: ['get', 'get'], consumed: 1, published: [snapshotEventType] });
  expect(mirror.log).toMatchObject([{ level: warning, err: { message: toldToFail.message } }]);
});

test('mirror: 23. when the record cannot be read again nothing is published, and the next event of the same kind is', async () => {
  const mirror = await aMirror();
  await mirror.insert();
  const { take } = mirror.start({ records: failingAt(mirror.deps.records, 'get', 2) });
  expect(await take({ event_type: 'probe_failed' })).toBe(true);
  expect(mirror.seen).toMatchObject({ consumed: 1, published: [] });
  await take({ event_type: 'probe_failed' });
  expect(await lobbyOf(mirror)).toEqual([['running', 'probe_failed']]);
});

test('mirror: 24. a snapshot that cannot be published is not counted, and the next event of the same kind is published', async () => {
  const mirror = await aMirror();
  await mirror.insert();
  const { take } = mirror.start({ lobby: failingAt(mirror.deps.lobby, 'publish') });
  expect(await take({ event_type: 'probe_failed' })).toBe(true);
  expect(mirror.seen).toMatchObject({ consumed: 1, published: [] });
  expect(mirror.log).toMatchObject([{ level: warning, game_id: 'game-1', err: { message: toldToFail.message } }]);
  await take({ event_type: 'probe_failed' });
  expect(mirror.seen).toMatchObject({ consumed: 2, published: [snapshotEventType] });
  expect(await lobbyOf(mirror)).toEqual([['running', 'probe_failed']]);
});

test('mirror: 25, 26, 27. the first event of a game is published, the same again is not, another is', async () => {
  const mirror = await aMirror();
  await mirror.insert({ engine_health: 'healthy' });
  const { take } = mirror.start();
  const types = ['container_started', 'container_started', 'probe_failed', 'probe_failed', 'container_started'];
  const published: number[] = [];
  for (const type of types) {
    await take({ event_type: type });
    published.push(mirror.seen.published.length);
  }
  expect(published).toEqual([1, 1, 2, 2, 3]);
  expect(mirror.seen.consumed).toBe(5);
  expect((await lobbyOf(mirror)).map(([, health]) => health)).toEqual(['healthy', 'probe_failed', 'healthy']);
});

test('mirror: 26. a suppressed event is written all the same', async () => {
  const mirror = await aMirror();
  await mirror.insert();
  const { take } = mirror.start();
  await take({ event_type: 'probe_failed' });
  await mirror.client.query(`update runtime_record set engine_health = 'healthy'`);
  await take({ event_type: 'probe_failed' });
  expect((await mirror.records())['game-1']).toMatchObject({
    engine_health: 'probe_failed',
    updated_at: new Date(mirror.nowMs()),
  });
  expect(mirror.seen.published).toHaveLength(1);
});

test('mirror: 28. a transition is published although the summary is the one that was published last', async () => {
  const mirror = await aMirror();
  await mirror.insert({ status: 'engine_unreachable' });
  const { take } = mirror.start();
  await take({ event_type: 'container_started' });
  await take({ event_type: 'probe_recovered' });
  expect(await lobbyOf(mirror)).toEqual([
    ['engine_unreachable', 'healthy'],
    ['running', 'healthy'],
  ]);
});

test('mirror: 29. what was published of one game says nothing of another', async () => {
  const mirror = await aMirror();
  for (const game_id of ['game-1', 'game-2']) await mirror.insert({ game_id });
  const { take } = mirror.start();
  for (const game_id of ['game-1', 'game-2', 'game-1', 'game-2']) await take({ game_id, event_type: 'probe_failed' });
  expect((await mirror.lobby()).map((entry) => entry['game_id'])).toEqual(['game-1', 'game-2']);
});

test('mirror: 30. a new consumer knows nothing of what was published: one snapshot for the first event of each game', async () => {
  const mirror = await aMirror();
  for (const game_id of ['game-1', 'game-2']) await mirror.insert({ game_id });
  for (const { take } of [mirror.start(), mirror.start()]) {
    for (const game_id of ['game-1', 'game-2', 'game-2', 'game-1']) await take({ game_id });
  }
  expect((await mirror.lobby()).map((entry) => entry['game_id'])).toEqual(['game-1', 'game-2', 'game-1', 'game-2']);
});

test('mirror: 31. a snapshot says what the record is by then, no player statistics, and the one time of the event', async () => {
  const mirror = await aMirror();
  await mirror.insert({ current_turn: 7 });
  let reads = 0;
  const records = before(mirror.deps.records, async (method) => {
    if (method === 'get') reads += 1;
    if (reads !== 2) return;
    await mirror.client.query(
      `update runtime_record set current_turn = 8, status = 'generation_in_progress', engine_health = 'healthy'`,
    );
  });
  const clockBefore = mirror.nowMs();
  await mirror.start({ records }).take({ event_type: 'probe_failed', occurred_at_ms: '5' });
  expect(await mirror.lobby()).toEqual([
    {
      event_type: 'runtime_snapshot_update',
      game_id: 'game-1',
      current_turn: '8',
      runtime_status: 'generation_in_progress',
      engine_health_summary: 'healthy',
      player_turn_stats: '[]',
      occurred_at_ms: String(clockBefore + 1_000),
    },
  ]);
  expect((await mirror.records())['game-1']?.updated_at).toEqual(new Date(clockBefore + 1_000));
});

test('mirror: section 8.2. after a write that failed the lobby has the old health, and equal events are not published', async () => {
  const mirror = await aMirror();
  await mirror.insert({ engine_health: 'healthy' });
  const { take } = mirror.start({ records: failingAt(mirror.deps.records, 'updateEngineHealth') });
  await take({ event_type: 'probe_failed' });
  await take({ event_type: 'probe_failed' });
  expect((await mirror.records())['game-1']?.engine_health).toBe('probe_failed');
  expect(await lobbyOf(mirror)).toEqual([['running', 'healthy']]);
});

test('mirror: section 8.3. after a snapshot that failed, a return to the summary before it leaves the lobby behind', async () => {
  const mirror = await aMirror();
  await mirror.insert();
  const { take } = mirror.start({ lobby: failingAt(mirror.deps.lobby, 'publish', 2) });
  for (const type of ['container_started', 'container_exited', 'container_started']) await take({ event_type: type });
  expect((await mirror.records())['game-1']).toMatchObject({ status: 'engine_unreachable', engine_health: 'healthy' });
  expect(await lobbyOf(mirror)).toEqual([['running', 'healthy']]);
});

test('mirror: section 8.8. an old event that comes late wins', async () => {
  const mirror = await aMirror();
  await mirror.insert();
  const { take } = mirror.start();
  await take({ event_type: 'container_started', occurred_at_ms: '2000' });
  await take({ event_type: 'container_exited', occurred_at_ms: '1000' });
  expect((await mirror.records())['game-1']?.status).toBe('engine_unreachable');
});
