import { expect, test } from 'vitest';
import { connect, until } from '../../support/fixtures.ts';
import type { WireEvent } from '../../support/health.ts';
import { aHealthPlace } from '../../support/health-place.ts';

/** Events go on while only the table of dead letters is in trouble, or while one event makes its commit fail. */

const exit = (game_id: string, n: number): WireEvent => ({
  game_id,
  event_type: 'container_exited',
  occurred_at_ms: String(Date.now() + n),
});
const bad: WireEvent = { ...exit('', 0) };

test('health dead letters: while their table is locked events go on; the place that is stored stays before them until they are written', async () => {
  const place = await aHealthPlace();
  await place.insert({});
  const worker = await place.start();
  const holder = await connect(place.databaseUrl);
  await holder.query('begin; lock table dead_letter in access exclusive mode');
  await place.add(bad);
  await place.add(exit('game-1', 1));
  await until(async () => (await place.records())['game-1']?.engine_health === 'exited');
  expect((await place.offset())?.last_id).toBe('0-0');
  expect(await worker.metric('sluice_health_events_total', { result: 'malformed' })).toBe(1);

  await holder.query('rollback');
  await place.settled();
  expect(await place.deadLetters()).toMatchObject([{ code: 'malformed', attempts: 1 }]);
});

test('health dead letters: of a worker that dies while they wait the next one reads their entries again', async () => {
  const place = await aHealthPlace();
  await place.insert({});
  const holder = await connect(place.databaseUrl);
  await holder.query('begin; lock table dead_letter in access exclusive mode');
  const first = await place.start();
  await place.add(bad);
  await place.add(exit('game-1', 1));
  await until(async () => (await place.records())['game-1']?.engine_health === 'exited');
  await first.stop();
  await holder.query('rollback');
  await place.start();
  await place.settled();
  expect(await place.deadLetters()).toMatchObject([{ code: 'malformed' }]);
  // Taken in twice, told once.
  expect(await place.lobby()).toHaveLength(1);
});

test.each(['XX000', 'ZZ001', '42501', '58030'])(
  'health events: one that alone meets %s is a dead letter, and the others of its batch are taken in',
  async (code) => {
    const place = await aHealthPlace();
    await place.insert({}, { game_id: 'game-2' }, { game_id: 'game-3' });
    await place.client.query(`create function odd() returns trigger language plpgsql as $$ begin
      if new.game_id = 'game-2' then raise exception 'odd' using errcode = '${code}'; end if; return new; end $$`);
    await place.client.query('create trigger odd before update on runtime_record for each row execute function odd()');
    await place.add(exit('game-1', 1), exit('game-2', 1), exit('game-3', 1));
    await place.start();
    await place.settled();
    const records = await place.records();
    expect(['game-1', 'game-2', 'game-3'].map((game) => records[game]?.engine_health)).toEqual([
      'exited',
      '',
      'exited',
    ]);
    expect(await place.deadLetters()).toMatchObject([{ code }]);
  },
);

test('health events: what every commit meets makes the stream wait, and nothing is dead', async () => {
  const place = await aHealthPlace();
  await place.insert({}, { game_id: 'game-2' });
  await place.client.query(`create function odd() returns trigger language plpgsql as $$ begin
    raise exception 'odd' using errcode = 'XX000'; end $$`);
  await place.client.query('create trigger odd before update on runtime_record for each row execute function odd()');
  await place.add(exit('game-1', 1));
  const worker = await place.start();
  await until(async () => (await worker.metric('sluice_health_retries_total', { code: 'XX000' })) >= 8);
  expect(await place.deadLetters()).toEqual([]);
  await place.client.query('drop trigger odd on runtime_record');
  await place.settled();
  expect((await place.records())['game-1']?.engine_health).toBe('exited');
  expect(await place.deadLetters()).toEqual([]);
});
