import { describe, expect, test } from 'vitest';
import type { HealthEventType } from '../../../shared/contracts/health-event.ts';
import { createLogger } from '../../../shared/platform/logging/logger.ts';
import { applyBatch, type EventStore } from '../../../workers/health-events/hardened/apply-batch.ts';
import { createEventStore } from '../../../workers/health-events/hardened/event-store.ts';
import { commitEvents, loadGames } from '../../../workers/health-events/hardened/game-store.ts';
import { createHeldEntries, type ReadEvent } from '../../../workers/health-events/hardened/held-entries.ts';
import { planEvents } from '../../../workers/health-events/hardened/plan-events.ts';
import { acquireLease } from '../../../workers/health-events/lease.ts';
import { announceAllGames } from '../../../workers/health-events/outbox/announcement.ts';
import { createLobbyRelay } from '../../../workers/health-events/outbox/lobby-relay.ts';
import { clearPublished } from '../../../workers/health-events/outbox/outbox.ts';
import { connect, until } from '../../support/fixtures.ts';
import { openDatabase } from '../../support/health.ts';
import { aHealthPlace } from '../../support/health-place.ts';

/** What happens at the worst of moments. */

const label = 'health_events';

function anEntry(n: number, gameId: string, type: HealthEventType = 'container_exited'): ReadEvent {
  const before = { lastId: `${n - 1}-0`, entriesRead: n - 1 };
  return { id: `${n}-0`, fields: [], cut: null, before, event: { gameId, type, occurredAtMs: n, containerId: null } };
}

/** Somebody who holds the lease of a place with `game-1`, and the parts of a worker. */
async function aLeader() {
  const place = await aHealthPlace();
  await place.insert({});
  const database = openDatabase(place.databaseUrl);
  const lease = await acquireLease(database, { label, holder: 'a test', ttlMs: 60_000 });
  if (lease === null) throw new Error('the lease was not to be had');
  await place.client.query("insert into stream_offset (label, last_id, fencing_token) values ($1, '0-0', 1)", [label]);
  const held = createHeldEntries();
  const store: EventStore = createEventStore({
    database,
    lease,
    repeat: (work) => work(),
    logger: createLogger({ level: 'silent', name: 'test' }),
    startTimer: () => () => undefined,
    signal: new AbortController().signal,
  });
  const observer = { onCommitted: () => undefined, onConflict: () => undefined, onDeadLetter: () => undefined };
  const other = await connect(place.databaseUrl);
  return {
    ...{ place, database, lease, held, other },
    take: (batch: Partial<Parameters<typeof applyBatch>[0]>, changed: Partial<EventStore> = {}) =>
      applyBatch(
        { events: [], end: { lastId: '9-0', entriesRead: 9 }, gap: null, serverMs: 0, ...batch },
        {
          store: { ...store, ...changed },
          observer,
          held,
          stream: place.keys.stream,
          graceMs: 60_000,
          whole: async () => null,
        },
      ),
    store,
    /** Commits one exit of a game. */
    async commitExit(gameId = 'game-1') {
      const plan = planEvents(await loadGames(database, [gameId]), [anEntry(1, gameId)], 9);
      const outcome = commitEvents(database, lease, { plan, position: { lastId: '1-0', entriesRead: 1 }, gap: null });
      return { outcome };
    },
    relay: createLobbyRelay({
      ...{ database, lease, redis: place.redis, lobbyStream: place.keys.lobbyStream, now: Date.now },
      onDatabase: (work) => work(),
      onRedis: (work) => work(),
      onPublished: () => undefined,
      onAnnounced: () => undefined,
    }),
    async putOut(snapshots: number, gameId = 'game-1'): Promise<void> {
      await place.client.query(
        `insert into lobby_outbox (label, game_id, current_turn, runtime_status, engine_health_summary, occurred_at_ms,
           created_at)
         select $1, $2, n, 'running', 'healthy', 5, now() - interval '1 hour' from generate_series(1, $3) n`,
        [label, gameId, snapshots],
      );
    },
  };
}

type Looker = { client: Awaited<ReturnType<typeof connect>> };

/** Resolves when a statement waits for a lock. */
async function untilWaiting(place: Looker): Promise<void> {
  await until(async () => (await countWaiting(place)) === 1);
}

async function countWaiting({ client }: Looker): Promise<number | null> {
  const { rowCount } = await client.query(
    "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
  );
  return rowCount;
}

describe('a commit', () => {
  test('that waits for the renewal of its lease sees what becomes of a record meanwhile', async () => {
    const { place, other, commitExit } = await aLeader();
    await other.query('begin');
    await other.query("update stream_lease set expires_at = expires_at + interval '1 s'");
    const { outcome } = await commitExit();
    await untilWaiting(place);
    await place.client.query("update runtime_record set status = 'stopped'");
    await other.query('commit');
    expect(await outcome).toEqual({ kind: 'conflict', gameIds: ['game-1'] });
    expect((await place.records())['game-1']).toMatchObject({ status: 'stopped', engine_health: '' });
  });

  test('with a gap, whose reply is lost: the gap is counted once', async () => {
    const { place, take, store } = await aLeader();
    let isLost = false;
    const commit: EventStore['commit'] = async (what) => {
      const outcome = await store.commit(what);
      if (isLost) return outcome;
      isLost = true;
      return commit(what);
    };
    const gap = { entries: 3, afterId: '0-0', beforeId: '4-0' };
    await take({ events: [anEntry(4, 'game-1')], gap }, { commit });
    expect(await place.offset()).toMatchObject({ last_id: '9-0', gap_entries: '3' });
    await take({ end: { lastId: '9-0', entriesRead: 12 }, gap: { entries: 3, afterId: '9-0', beforeId: null } });
    await take({ end: { lastId: '9-0', entriesRead: 14 }, gap: { entries: 2, afterId: '9-0', beforeId: null } });
    expect(await place.offset()).toMatchObject({ gap_entries: '8' });
  });
});

test('a record that comes while the halves of a refused batch are tried: no event of its game passes another', async () => {
  const { place, take, held, store } = await aLeader();
  await place.client.query(`
    create function refuse() returns trigger language plpgsql as $$
      begin raise exception 'not this one' using errcode = 'check_violation'; end $$;
    create trigger refuse before update on runtime_record for each row when (new.game_id = 'game-1')
      execute function refuse();`);
  let isThere = false;
  const loadLate: EventStore['loadGames'] = async (gameIds) => {
    const games = await store.loadGames(gameIds);
    if (!isThere && gameIds.length === 1) await place.insert({ game_id: 'game-2' });
    isThere ||= gameIds.length === 1;
    return games;
  };
  const events = [anEntry(1, 'game-2'), anEntry(2, 'game-1'), anEntry(3, 'game-2', 'probe_failed')];
  await take({ events }, { loadGames: loadLate });
  await take({ events: held.takeAll() });
  expect((await place.records())['game-2']).toMatchObject({
    status: 'engine_unreachable',
    engine_health: 'probe_failed',
  });
  expect(await place.deadLetters()).toMatchObject([{ job_id: '2-0', code: '23514' }]);
});

describe('the outbox', () => {
  test('an announcement beside a commit: the relay passes over nothing', async () => {
    const { place, database, lease, relay, other, commitExit } = await aLeader();
    await place.insert({ game_id: 'game-2' });
    await place.client.query(`
      insert into health_event_watermark (game_id, last_id, occurred_at_ms) values ('game-2', '0-1', 5);
      create function be_slow() returns trigger language plpgsql as $$
        begin perform pg_advisory_xact_lock(42); return null; end $$;
      create trigger be_slow after insert on lobby_outbox for each row when (new.game_id = 'game-1')
        execute function be_slow();`);
    await other.query('select pg_advisory_lock(42)');
    const { outcome } = await commitExit();
    await untilWaiting(place);
    // The numbers of the commit's snapshots are given out, but nobody can see them yet.
    let isTold = false;
    const told = announceAllGames(database, lease, 9)
      .then(() => relay.publish())
      .finally(() => {
        isTold = true;
      });
    await until(async () => isTold || (await countWaiting(place)) === 2);
    await other.query('select pg_advisory_unlock(42)');
    await Promise.all([outcome, told]);
    await relay.publish();
    expect((await place.lobby()).map((entry) => entry['game_id'])).toEqual(['game-1', 'game-2']);
  });

  test('a commit whose connection was lost, and that goes on beside the next one: the relay passes over nothing', async () => {
    const { place, relay, other, commitExit } = await aLeader();
    await place.insert({ game_id: 'game-2' });
    await place.client.query(`
      create function be_slow() returns trigger language plpgsql as $$
        begin perform pg_advisory_xact_lock(42); return new; end $$;
      create trigger be_slow before insert on lobby_outbox for each row when (new.game_id = 'game-1')
        execute function be_slow();`);
    await other.query('select pg_advisory_lock(42)');
    const { outcome: lost } = await commitExit();
    await untilWaiting(place);
    // The number of the first one's snapshot is given out, but nobody can see it yet.
    let isTold = false;
    const told = commitExit('game-2')
      .then(({ outcome }) => outcome)
      .then(() => relay.publish())
      .finally(() => {
        isTold = true;
      });
    await until(async () => isTold || (await countWaiting(place)) === 2);
    await other.query('select pg_advisory_unlock(42)');
    await Promise.all([lost, told]);
    await relay.publish();
    expect((await place.lobby()).map((entry) => entry['game_id'])).toEqual(['game-1', 'game-2']);
  });

  test('who has lost the lease clears nothing', async () => {
    const { place, database, lease, putOut } = await aLeader();
    await putOut(1);
    await place.client.query('update stream_lease set token = token + 1');
    await clearPublished(database, lease, 1);
    expect((await place.client.query('select from lobby_outbox')).rowCount).toBe(1);
  });

  test('however much there is to clear, no statement takes long', async () => {
    const { place, database, lease, putOut } = await aLeader();
    await putOut(12_000);
    await place.client.query('create table cleared (snapshots bigint)');
    await place.client.query(`
      create function count_cleared() returns trigger language plpgsql as $$
        begin insert into cleared select count(*) from old_rows; return null; end $$;
      create trigger count_cleared after delete on lobby_outbox referencing old table as old_rows
        for each statement execute function count_cleared();`);
    await clearPublished(database, lease, 11_999);
    const { rows } = await place.client.query<{ snapshots: string }>('select snapshots from cleared');
    expect(rows.map(({ snapshots }) => Number(snapshots))).toEqual([5_000, 5_000, 1_999]);
    const { rows: leases } = await place.client.query('select outbox_floor from stream_lease');
    expect(leases).toEqual([{ outbox_floor: '11999' }]);
  });
});

describe('trouble that is over', () => {
  const exit = { game_id: 'game-1', event_type: 'container_exited' };

  test('because the database has refused what it could not do before', async () => {
    const place = await aHealthPlace();
    await place.insert({});
    await place.client.query(`
      create sequence tries;
      create function refuse() returns trigger language plpgsql as $$
        begin
          if nextval('tries') < 3 then raise exception 'later' using errcode = '40001'; end if;
          raise exception 'never' using errcode = 'check_violation';
        end $$;
      create trigger refuse before update on runtime_record for each row execute function refuse();`);
    const worker = await place.start();
    await place.add(exit);
    await place.settled();
    expect(await place.deadLetters()).toMatchObject([{ code: '23514' }]);
    await until(async () => (await worker.metric('sluice_database_outage', {})) === 0);
  });

  test('because the lease was lost in it', async () => {
    const place = await aHealthPlace();
    await place.insert({});
    const worker = await place.start();
    await until(place.offset);
    await place.client.query('alter table health_event_watermark rename to away');
    await place.add(exit);
    await until(async () => (await worker.metric('sluice_database_outage', {})) === 1);
    await place.client.query(
      "update stream_lease set token = token + 1, expires_at = now() + interval '1 hour', holder = 'another'",
    );
    await until(async () => (await worker.metric('sluice_health_lease_held', {})) === 0);
    await until(async () => (await worker.metric('sluice_database_outage', {})) === 0);
  });
});
