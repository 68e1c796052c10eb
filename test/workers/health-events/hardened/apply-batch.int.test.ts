import { describe, expect, test } from 'vitest';
import { replayDeadLetters } from '../../../../dead-letters/replay.ts';
import { commitEvents, loadGames } from '../../../../workers/health-events/hardened/game-store.ts';
import { planEvents } from '../../../../workers/health-events/hardened/plan-events.ts';
import { acquireLease, renewLease } from '../../../../workers/health-events/lease.ts';
import { nextSnapshots } from '../../../../workers/health-events/outbox/outbox.ts';
import { connect, until, untilBlocked } from '../../../support/fixtures.ts';
import { openDatabase } from '../../../support/health.ts';
import { aHealthPlace } from '../../../support/health-place.ts';

const at = (n: number) => ({ occurred_at_ms: String(1_775_121_800_000 + n) });
const exit = (game_id: string, n = 0) => ({ game_id, event_type: 'container_exited', ...at(n) });

/** Somebody who holds the lease and has one exit of `game-1` planned. */
async function aPlan() {
  const place = await aHealthPlace();
  await place.insert({});
  const database = openDatabase(place.databaseUrl);
  const lease = await acquireLease(database, { label: 'health_events', holder: 'a test', ttlMs: 60_000 });
  if (lease === null) throw new Error('the lease was not to be had');
  await place.client.query(
    "insert into stream_offset (label, last_id, fencing_token) values ('health_events', '0-0', 1)",
  );
  const before = { lastId: '0-0', entriesRead: 0 };
  const event = { gameId: 'game-1', type: 'container_exited', occurredAtMs: 5, containerId: null } as const;
  const plan = planEvents(
    await loadGames(database, ['game-1']),
    [{ id: '1-0', fields: [], cut: null, before, event }],
    9,
  );
  const commit = { plan, position: { lastId: '1-0', entriesRead: 1 }, gap: null };
  /** all that a commit may have changed */
  const seen = async () => ({
    record: (await place.records())['game-1'],
    offset: (await place.offset())?.last_id,
    snapshots: (await place.client.query('select from lobby_outbox')).rowCount,
    watermarks: (await place.client.query('select from health_event_watermark')).rowCount,
  });
  return { place, database, lease, commit, seen };
}

const untouched = { record: { status: 'running', engine_health: '' }, offset: '0-0', snapshots: 0, watermarks: 0 };
const taken = {
  record: { status: 'engine_unreachable', engine_health: 'exited' },
  offset: '1-0',
  snapshots: 1,
  watermarks: 1,
};

describe('a commit', () => {
  test('stores records, watermarks, snapshots and the offset', async () => {
    const { database, lease, commit, seen } = await aPlan();
    expect(await commitEvents(database, lease, commit)).toMatchObject({ kind: 'committed' });
    expect(await seen()).toMatchObject(taken);
  });

  test('tells of its snapshots as they are in the outbox, in order', async () => {
    const { place, database, lease, commit } = await aPlan();
    const [snapshot] = commit.plan.snapshots;
    if (snapshot === undefined) throw new Error('there is no snapshot');
    const snapshots = [3, 1, 2].map((currentTurn) => ({ ...snapshot, currentTurn }));
    const outcome = await commitEvents(database, lease, { ...commit, plan: { ...commit.plan, snapshots } });
    expect(await nextSnapshots(database, lease.label, 0, 10)).toHaveLength(3);
    expect(outcome).toEqual({
      kind: 'committed',
      outboxRows: await nextSnapshots(database, lease.label, 0, 10),
    });
    const { rows } = await place.client.query('select current_turn from lobby_outbox order by seq');
    expect(rows).toEqual([{ current_turn: 3 }, { current_turn: 1 }, { current_turn: 2 }]);
  });

  test('tells of no snapshots when others have taken numbers between them', async () => {
    const { place, database, lease, commit } = await aPlan();
    await place.client.query(`
      create function take_one() returns trigger language plpgsql as $$
        begin perform nextval('lobby_outbox_seq_seq'); return new; end $$;
      create trigger take_one before insert on lobby_outbox for each row execute function take_one();`);
    const snapshots = [...commit.plan.snapshots, ...commit.plan.snapshots];
    const outcome = await commitEvents(database, lease, { ...commit, plan: { ...commit.plan, snapshots } });
    expect(outcome).toEqual({ kind: 'committed', outboxRows: [] });
    expect(await nextSnapshots(database, lease.label, 0, 10)).toHaveLength(2);
  });

  test('whose reply was lost is a conflict when it is made again', async () => {
    const { database, lease, commit, seen } = await aPlan();
    await commitEvents(database, lease, commit);
    expect(await commitEvents(database, lease, commit)).toEqual({ kind: 'conflict', gameIds: ['game-1'] });
    expect(await seen()).toMatchObject(taken);
  });

  test('of somebody whose lease another one has taken is refused', async () => {
    const { place, database, lease, commit, seen } = await aPlan();
    await place.client.query("update stream_lease set expires_at = now() - interval '1 s'");
    const next = await acquireLease(database, { label: 'health_events', holder: 'another', ttlMs: 60_000 });
    expect(next?.token).toBe(lease.token + 1);
    expect(await commitEvents(database, lease, commit)).toEqual({ kind: 'fenced' });
    expect(await renewLease(database, lease, 60_000)).toBe(false);
    expect(await seen()).toMatchObject(untouched);
  });

  test('is refused when anybody has changed the record since', async () => {
    const { place, database, lease, commit, seen } = await aPlan();
    await place.client.query('update runtime_record set current_turn = 8');
    expect(await commitEvents(database, lease, commit)).toEqual({ kind: 'conflict', gameIds: ['game-1'] });
    expect(await seen()).toMatchObject(untouched);
  });

  test('is refused when the record was changed and changed back', async () => {
    const { place, database, lease, commit, seen } = await aPlan();
    await place.client.query("update runtime_record set status = 'stopped'");
    await place.client.query("update runtime_record set status = 'running'");
    expect(await commitEvents(database, lease, commit)).toMatchObject({ kind: 'conflict' });
    expect(await seen()).toMatchObject(untouched);
  });

  test('is refused when the record is gone', async () => {
    const { place, database, lease, commit } = await aPlan();
    await place.client.query('delete from runtime_record');
    expect(await commitEvents(database, lease, commit)).toEqual({ kind: 'conflict', gameIds: ['game-1'] });
    expect((await place.offset())?.last_id).toBe('0-0');
  });

  test('does not wait for a record that somebody holds', async () => {
    const { place, database, lease, commit, seen } = await aPlan();
    const other = await connect(place.databaseUrl);
    await other.query('begin');
    await other.query('select from runtime_record for update');
    expect(await commitEvents(database, lease, commit)).toEqual({ kind: 'conflict', gameIds: ['game-1'] });
    await other.query('rollback');
    expect(await commitEvents(database, lease, commit)).toMatchObject({ kind: 'committed' });
    expect(await seen()).toMatchObject(taken);
  });

  test('that waits for a change of the lease is judged by what came of it', async () => {
    const { place, database, lease, commit, seen } = await aPlan();
    const other = await connect(place.databaseUrl);
    await other.query('begin');
    await other.query('update stream_lease set token = token + 1');
    const outcome = commitEvents(database, lease, commit);
    await untilBlocked(place.databaseUrl);
    await other.query('commit');
    expect(await outcome).toEqual({ kind: 'fenced' });
    expect(await seen()).toMatchObject(untouched);
  });
});

describe('the games of others', () => {
  test('a record that somebody holds for long keeps only its own events waiting', async () => {
    const place = await aHealthPlace();
    await place.insert({}, { game_id: 'game-2' });
    const other = await connect(place.databaseUrl);
    await other.query('begin');
    await other.query("select from runtime_record where game_id = 'game-1' for update");
    const worker = await place.start();
    const [first] = await place.add(exit('game-1', 1), exit('game-2', 1), { event_type: 'probe_recovered', ...at(2) });
    await until(async () => (await place.records())['game-2']?.engine_health === 'exited');
    await place.add({ ...exit('game-2', 3), event_type: 'probe_recovered' });
    await until(async () => (await place.records())['game-2']?.status === 'running');
    expect((await place.records())['game-1']).toMatchObject({ status: 'running', engine_health: '' });
    expect((await place.offset())?.last_id === first).toBe(false);
    expect(await worker.metric('sluice_health_held_entries', {})).toBeGreaterThan(0);
    await other.query('rollback');
    await place.settled();
    expect((await place.records())['game-1']).toMatchObject({ status: 'running', engine_health: 'healthy' });
    expect((await place.lobby()).filter((entry) => entry['game_id'] === 'game-1')).toHaveLength(2);
  });

  test('records that others change all the time are taken in all the same', async () => {
    const place = await aHealthPlace();
    const games = Array.from({ length: 20 }, (_, index) => `game-${index}`);
    await place.insert(...games.map((game_id) => ({ game_id })));
    const other = await connect(place.databaseUrl);
    let isOver = false;
    const turns = (async () => {
      while (!isOver) await other.query('update runtime_record set current_turn = current_turn + 1');
    })();
    await place.start();
    for (let round = 0; round < 10; round += 1) await place.add(...games.map((game) => exit(game, round)));
    await place.settled();
    isOver = true;
    await turns;
    for (const record of Object.values(await place.records()))
      expect(record).toMatchObject({ status: 'engine_unreachable', engine_health: 'exited' });
  });

  test('an event that the database refuses is a dead letter, the events beside it are taken in', async () => {
    const place = await aHealthPlace();
    const games = Array.from({ length: 50 }, (_, index) => `game-${index}`);
    await place.insert(...games.map((game_id) => ({ game_id })));
    await place.client.query(`
      create function refuse() returns trigger language plpgsql as $$
        begin raise exception 'not this one' using errcode = 'check_violation'; end $$;
      create trigger refuse before update on runtime_record for each row when (new.game_id = 'game-17') execute function refuse();`);
    const worker = await place.start();
    await place.add(...games.map((game) => exit(game)));
    await place.settled();
    expect(await place.deadLetters()).toMatchObject([
      { queue: place.keys.stream, code: '23514', state: 'open', contract_version: 1 },
    ]);
    const records = Object.values(await place.records());
    expect(records.filter(({ status }) => status === 'engine_unreachable')).toHaveLength(49);
    expect(await worker.metric('sluice_health_events_total', { result: 'refused' })).toBe(1);
  });
});

describe('games that nobody knows', () => {
  test('a record that comes within the grace is found, and its events are taken in in order', async () => {
    const place = await aHealthPlace();
    await place.insert({});
    const worker = await place.start({ SLUICE_HEALTH_GRACE_MS: '60000' });
    await place.add({ game_id: 'game-2', ...at(1) }, exit('game-2', 2), exit('game-1', 1));
    await until(async () => (await place.records())['game-1']?.engine_health === 'exited');
    await place.add(exit('game-1', 5), { ...exit('game-2', 3), event_type: 'probe_recovered' });
    await until(async () => (await worker.metric('sluice_health_held_entries', {})) === 3);
    expect((await place.offset())?.last_id).toBe('0-0');
    await place.insert({ game_id: 'game-2' });
    await place.settled();
    const told = (await place.lobby()).filter((entry) => entry['game_id'] === 'game-2');
    expect(told.map((entry) => entry['engine_health_summary'])).toEqual(['healthy', 'exited', 'healthy']);
    expect(await place.deadLetters()).toEqual([]);
  });

  test('a worker that ends while events wait hands them on', async () => {
    const place = await aHealthPlace();
    await place.insert({});
    const patient = { SLUICE_HEALTH_GRACE_MS: '60000' };
    const first = await place.start(patient);
    await place.add(exit('game-2', 1), exit('game-1', 1));
    await until(async () => (await place.records())['game-1']?.engine_health === 'exited');
    await first.stop();
    await place.insert({ game_id: 'game-2' });
    await place.start(patient);
    await place.settled();
    expect((await place.records())['game-2']?.engine_health).toBe('exited');
    expect(await place.lobby()).toHaveLength(2);
  });

  test('after the grace they are dead letters, which can be put back once there is a record', async () => {
    const place = await aHealthPlace();
    await place.start({ SLUICE_HEALTH_GRACE_MS: '300' });
    const [id] = await place.add({ ...exit('game-9'), details: '{"exit_code":137}' });
    await place.settled();
    const [deadLetter] = await place.deadLetters();
    expect(deadLetter).toMatchObject({ queue: place.keys.stream, code: 'unknown_game', job_id: id, state: 'open' });
    expect(JSON.parse(String(deadLetter?.['payload']))).toEqual({
      ...exit('game-9'),
      container_id: '7c2b5d1a4f6e',
      details: '{"exit_code":137}',
    });

    const database = openDatabase(place.databaseUrl);
    const again = () =>
      replayDeadLetters(
        { database, redis: place.redis, namespace: 'unused', memoryShare: 0.8, shards: 1 },
        { filter: { state: 'open' }, repairs: [], limit: 10, perSecond: null, onProgress: () => undefined },
      );
    expect(await again()).toEqual({ replayed: 1, skipped: [] });
    await until(async () => (await place.deadLetters())[0]?.['attempts'] === 2);
    expect(await place.deadLetters()).toMatchObject([{ id: deadLetter?.['id'], state: 'open', attempts: 2 }]);

    await place.insert({ game_id: 'game-9' });
    await again();
    await until(async () => (await place.deadLetters())[0]?.['state'] === 'stored');
    expect((await place.records())['game-9']).toMatchObject({ status: 'engine_unreachable', engine_health: 'exited' });
  });
});

describe('many', () => {
  test('10,000 entries that are no events: each a dead letter, and the offset behind them', async () => {
    const place = await aHealthPlace();
    await place.insert({});
    const bad = (index: number) =>
      [{ game_id: undefined }, { event_type: 'Container_Started' }, { occurred_at_ms: '1.5' }, { game_id: ' ' }][
        index % 4
      ];
    await place.add(...Array.from({ length: 10_000 }, (_, index) => ({ container_id: String(index), ...bad(index) })));
    await place.add(exit('game-1'));
    const worker = await place.start();
    await place.settled();
    const { rows } = await place.client.query(
      'select code, count(*)::int, count(distinct job_id)::int as ids from dead_letter group by code order by code',
    );
    expect(rows).toEqual([
      { code: 'malformed', count: 7_500, ids: 7_500 },
      { code: 'unknown_type', count: 2_500, ids: 2_500 },
    ]);
    expect((await place.records())['game-1']?.engine_health).toBe('exited');
    expect(await worker.metric('sluice_health_events_consumed_total', {})).toBe(10_001);
  });

  test('20,000 events of 1,000 games: each game ends as its last event has it, and the lobby heard of each in order', async () => {
    const place = await aHealthPlace();
    const games = Array.from({ length: 1_000 }, (_, index) => `game-${index}`);
    await place.client.query("insert into runtime_record (game_id, status) select unnest($1::text[]), 'running'", [
      games,
    ]);
    const rounds = 20;
    const types = ['container_exited', 'probe_recovered', 'probe_failed', 'probe_recovered'] as const;
    const told = ['engine_unreachable/exited', 'running/healthy', 'running/probe_failed', 'running/healthy'];
    for (let round = 0; round < rounds; round += 1)
      await place.add(
        ...games.map((game_id, index) => ({ game_id, event_type: types[(round + index) % 4] ?? '', ...at(round) })),
      );
    const worker = await place.start();
    await until(async () => (await worker.metric('sluice_lobby_events_published_total', {})) >= rounds * games.length);
    const heard = new Map<string, string[]>(games.map((game) => [game, []]));
    for (const entry of await place.lobby())
      heard.get(entry['game_id'] ?? '')?.push(`${entry['runtime_status']}/${entry['engine_health_summary']}`);
    const records = await place.records();
    for (const [index, game] of games.entries()) {
      const expected = Array.from({ length: rounds }, (_, round) => told[(round + index) % 4]);
      // The first recovery of a game that runs changes its health from nothing; a probe that failed before it does too.
      expect(heard.get(game)).toEqual(expected);
      expect(`${records[game]?.status}/${records[game]?.engine_health}`).toBe(expected.at(-1));
    }
  });
});
