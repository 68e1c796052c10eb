import { expect, test } from 'vitest';
import { toDeadLetter } from '../../../dead-letters/store.ts';
import { slicesOf } from '../../../workers/health-events/hardened/dead-letters.ts';
import { connect, until } from '../../support/fixtures.ts';
import { addEvent, type WireEvent } from '../../support/health.ts';
import { aHealthPlace, type HealthPlace } from '../../support/health-place.ts';

/** Entries that nobody should write, and that must not keep the stream from going on. */

const at = (n: number) => ({ occurred_at_ms: String(1_775_121_800_000 + n) });
const exit = (game_id: string, n = 0): WireEvent => ({ game_id, event_type: 'container_exited', ...at(n) });

type Worker = Awaited<ReturnType<HealthPlace['start']>>;

async function untilConsumed(worker: Worker, entries: number): Promise<void> {
  const consumed = () => worker.metric('sluice_health_events_consumed_total', {});
  await until(async () => (await consumed()) >= entries);
  expect(await consumed()).toBe(entries);
}

test('NUL, which the database has no room for: in a game or a container it makes a dead letter, elsewhere it is not looked at', async () => {
  const place = await aHealthPlace();
  await place.insert({}, { game_id: 'game-2' });
  const worker = await place.start();
  const ids = await place.add(
    exit('game-1', 1),
    exit('game\0', 1),
    exit('game-2', 1),
    // Stored as the container that is the game's now.
    { ...exit('game-1', 2), event_type: 'container_started', container_id: 'a\0' },
    { ...exit('game-2', 2), event_type: 'probe_failed', details: '\0' },
    { game_id: '\0', event_type: '\0' },
  );
  await untilConsumed(worker, ids.length);
  await place.settled();
  const deadLetters = (await place.deadLetters()).map((deadLetter) => [deadLetter['job_id'], deadLetter['code']]);
  expect(deadLetters.sort()).toEqual([
    [ids[1], '22P05'],
    [ids[3], '22P05'],
    [ids[5], 'unknown_type'],
  ]);
  expect((await place.deadLetters()).every((deadLetter) => String(deadLetter['payload']).includes('\\u0000'))).toBe(
    true,
  );
  expect(await place.records()).toMatchObject({
    'game-1': { status: 'engine_unreachable', engine_health: 'exited' },
    'game-2': { status: 'engine_unreachable', engine_health: 'probe_failed' },
  });
});

test('bytes that are no UTF-8, and halves of surrogate pairs: events of games that nobody knows', async () => {
  const place = await aHealthPlace();
  await place.insert({});
  const worker = await place.start({ SLUICE_HEALTH_GRACE_MS: '0' });
  for (const bytes of [
    [0x67, 0xff, 0xfe],
    [0x67, 0xed, 0xa0, 0x80],
  ])
    await place.redis.xadd(
      ...[place.keys.stream, '*', 'game_id', Buffer.from(bytes)],
      ...['event_type', 'container_exited', 'occurred_at_ms', '5'],
    );
  await place.add(exit('game-1'));
  await untilConsumed(worker, 3);
  expect(await place.deadLetters()).toMatchObject([{ code: 'unknown_game' }, { code: 'unknown_game' }]);
  expect((await place.records())['game-1']?.engine_health).toBe('exited');
});

test.each(['abc', ''])('a dead letter %j that cannot be one: the event is like any other', async (sluice_letter) => {
  const place = await aHealthPlace();
  await place.insert({});
  const worker = await place.start();
  await place.add(exit('game-1', 1), { sluice_letter, ...exit('game-1', 2) }, exit('game-1', 3));
  await untilConsumed(worker, 3);
  expect(await place.deadLetters()).toEqual([]);
  expect(await worker.metric('sluice_health_events_total', { result: 'duplicate' })).toBe(0);
});

test('entries of a megabyte, good ones and bad ones', async () => {
  const place = await aHealthPlace();
  await place.insert({});
  const details = 'x'.repeat(1_048_576);
  for (let n = 1; n <= 24; n += 1)
    await place.add({ ...exit(n % 2 === 0 ? 'game-1' : 'nobody', n), details }, { game_id: undefined, details });
  const worker = await place.start({ SLUICE_HEALTH_GRACE_MS: '0' });
  await untilConsumed(worker, 48);
  const { rows } = await place.client.query(
    'select code, count(*)::int, min(length(payload)) > 1048576 as "isWhole" from dead_letter group by code order by code',
  );
  expect(rows).toEqual([
    { code: 'malformed', count: 24, isWhole: true },
    { code: 'unknown_game', count: 12, isWhole: true },
  ]);
});

test('events that have to wait are bounded by their size, too: the rest stays in the stream, and is read when there is room', async () => {
  const place = await aHealthPlace();
  await place.insert({ game_id: 'game-2' });
  const details = 'x'.repeat(15_000);
  await place.add(...Array.from({ length: 1_000 }, (_, n) => ({ ...exit('game-1', n), details })), exit('game-2'));
  const worker = await place.start({ SLUICE_HEALTH_GRACE_MS: '600000', SLUICE_HEALTH_BATCH_MAX_ENTRIES: '100' });
  // 4 MiB are reached with the third hundred.
  await until(async () => (await worker.metric('sluice_health_held_entries', {})) === 300);
  expect((await place.records())['game-2']?.engine_health).toBe('');
  await place.insert({});
  await untilConsumed(worker, 1_001);
  expect(await place.records()).toMatchObject({
    'game-1': { engine_health: 'exited' },
    'game-2': { engine_health: 'exited' },
  });
});

test('dead letters go into statements that a server can take: in order, each once, a huge one alone', () => {
  const deadLetter = (index: number, chars: number) =>
    toDeadLetter('x'.repeat(chars), 'malformed', 'no event', {
      queue: 'a stream',
      contractVersion: 1,
      jobId: String(index),
      producer: null,
    });
  const deadLetters = [1, 4e6, 5e6, 20e6, 1, 1].map((chars, index) => deadLetter(index, chars));
  const slices = [...slicesOf(deadLetters)].map((slice) => slice.map(({ jobId }) => Number(jobId)));
  expect(slices).toEqual([[0, 1], [2], [3], [4, 5]]);
  expect([...slicesOf([])]).toEqual([]);
});

test('thousands of games in one batch', async () => {
  const place = await aHealthPlace();
  const games = Array.from({ length: 5_000 }, (_, index) => `game-${index}`);
  await place.client.query("insert into runtime_record (game_id, status) select unnest($1::text[]), 'running'", [
    games,
  ]);
  await place.add(...games.map((game) => exit(game)));
  const worker = await place.start({ SLUICE_HEALTH_BATCH_MAX_ENTRIES: '1000' });
  await untilConsumed(worker, 5_000);
  await place.settled();
  expect((await place.lobby()).map((entry) => entry['game_id'])).toEqual(games);
  expect(await worker.metric('sluice_health_commit_seconds_count', {})).toBeGreaterThan(0);
});

test('events that have to wait when their stream is begun anew are dead letters: nobody can read them again', async () => {
  const place = await aHealthPlace();
  await place.insert({}, { game_id: 'game-2' });
  const other = await connect(place.databaseUrl);
  await other.query('begin');
  await other.query("select from runtime_record where game_id = 'game-1' for update");
  const worker = await place.start();
  const [waiting] = await place.add(exit('game-1', 1), exit('game-2', 1));
  await until(async () => (await place.records())['game-2']?.engine_health === 'exited');
  await until(async () => (await worker.metric('sluice_health_held_entries', {})) > 0);
  await place.redis.del(place.keys.stream);
  await addEvent(place.redis, place.keys.stream, exit('game-2', 9), '5-0');
  await until(async () => (await place.offset())?.last_id === '5-0');
  expect(await place.deadLetters()).toMatchObject([{ job_id: waiting, code: 'orphaned' }]);
  expect(await worker.metric('sluice_health_events_total', { result: 'orphaned' })).toBe(1);
});
