import { describe, expect, test } from 'vitest';
import { placeKey } from '../../../../shared/contracts/lobby-event.ts';
import type { Database } from '../../../../shared/platform/postgres/database.ts';
import { acquireLease, type Lease } from '../../../../workers/health-events/lease.ts';
import { createLobbyRelay } from '../../../../workers/health-events/outbox/lobby-relay.ts';
import type { OutboxRow } from '../../../../workers/health-events/outbox/outbox.ts';
import { openDatabase } from '../../../support/health.ts';
import { aHealthPlace, type HealthPlace } from '../../../support/health-place.ts';

const label = 'health_events';

/** A place, and somebody who holds its lease. */
async function anOutbox() {
  const place = await aHealthPlace();
  const database = openDatabase(place.databaseUrl);
  await place.insert({}, { game_id: 'game-2', status: 'stopped' });
  const lease = await takeLease(database);
  return { place, database, lease, write: (...turns: number[]) => write(place, turns) };
}

async function takeLease(database: Database): Promise<Lease> {
  await database.$executeRaw`update stream_lease set expires_at = now() - interval '1 hour'`;
  const lease = await acquireLease(database, { label, holder: 'a test', ttlMs: 60_000 });
  if (lease === null) throw new Error('the lease was not to be had');
  return lease;
}

/** Puts snapshots into an outbox, one for each turn. @returns them as a commit tells of them */
async function write({ client }: HealthPlace, turns: readonly number[], of = label): Promise<OutboxRow[]> {
  const written: OutboxRow[] = [];
  for (const turn of turns) {
    const snapshot = {
      gameId: 'game-1',
      currentTurn: turn,
      runtimeStatus: 'running',
      engineHealthSummary: 'healthy',
      occurredAtMs: 5,
    };
    const { rows } = await client.query<{ seq: string }>(
      `insert into lobby_outbox (label, game_id, current_turn, runtime_status, engine_health_summary, occurred_at_ms)
       values ($1, $2, $3, $4, $5, $6) returning seq`,
      [of, ...Object.values(snapshot)],
    );
    written.push({ seq: Number(rows[0]?.seq), snapshot });
  }
  return written;
}

/** @param fault what happens to the calls to Redis, each by its number from 1 */
function relayOf(
  place: HealthPlace,
  database: Database,
  lease: Lease,
  fault: (call: number) => 'none' | 'fails' | 'its reply is lost' = () => 'none',
) {
  let calls = 0;
  const seen = { published: 0, announced: 0 };
  const relay = createLobbyRelay({
    database,
    redis: place.redis,
    lease,
    lobbyStream: place.keys.lobbyStream,
    onDatabase: (work) => work(),
    async onRedis(work) {
      for (;;) {
        calls += 1;
        const what = fault(calls);
        if (what === 'fails') continue;
        const answer = await work();
        if (what === 'none') return answer;
      }
    },
    now: Date.now,
    onPublished: (snapshots) => {
      seen.published += snapshots;
    },
    onAnnounced: (games) => {
      seen.announced += games;
    },
  });
  return { ...relay, seen };
}

async function turnsTold(place: HealthPlace): Promise<number[]> {
  return (await place.lobby()).map((entry) => Number(entry['current_turn']));
}

describe('the relay', () => {
  test('publishes in order, in the words of the contract', async () => {
    const { place, database, lease, write } = await anOutbox();
    await write(1, 2, 3);
    const relay = relayOf(place, database, lease);
    expect(await relay.publish()).toBe('done');
    expect(await turnsTold(place)).toEqual([1, 2, 3]);
    expect((await place.lobby())[0]).toEqual({
      event_type: 'runtime_snapshot_update',
      game_id: 'game-1',
      current_turn: '1',
      runtime_status: 'running',
      engine_health_summary: 'healthy',
      player_turn_stats: '[]',
      occurred_at_ms: '5',
    });
    await write(4);
    await relay.publish();
    expect(await turnsTold(place)).toEqual([1, 2, 3, 4]);
    expect(relay.seen).toEqual({ published: 4, announced: 0 });
  });

  test('more than one call takes', async () => {
    const { place, database, lease } = await anOutbox();
    await place.client.query(
      `insert into lobby_outbox (label, game_id, current_turn, runtime_status, engine_health_summary, occurred_at_ms)
       select $1, 'game-1', n, 'running', 'healthy', 5 from generate_series(1, 1501) n`,
      [label],
    );
    await relayOf(place, database, lease).publish();
    expect(await turnsTold(place)).toEqual(Array.from({ length: 1_501 }, (_, index) => index + 1));
  });

  test.each(['fails', 'its reply is lost'] as const)(
    'a call that %s is made again, and nothing told twice',
    async (fault) => {
      const { place, database, lease, write } = await anOutbox();
      await write(1, 2);
      const relay = relayOf(place, database, lease, (call) => (call % 2 === 1 ? fault : 'none'));
      await relay.publish();
      await write(3);
      await relay.publish();
      expect(await turnsTold(place)).toEqual([1, 2, 3]);
    },
  );

  test('the next one goes on where the last one was, whatever it had noted', async () => {
    const { place, database, lease, write } = await anOutbox();
    await write(1, 2);
    await relayOf(place, database, lease).publish();
    await write(3);
    await relayOf(place, database, await takeLease(database)).publish();
    expect(await turnsTold(place)).toEqual([1, 2, 3]);
  });

  test('one whose lease is lost publishes nothing any more', async () => {
    const { place, database, lease, write } = await anOutbox();
    const old = relayOf(place, database, lease);
    await old.publish();
    const next = relayOf(place, database, await takeLease(database));
    await next.publish();
    await write(1);
    expect(await old.publish()).toBe('fenced');
    expect(await turnsTold(place)).toEqual([]);
    expect(await next.publish()).toBe('done');
    expect(await turnsTold(place)).toEqual([1]);
  });
});

describe('what a commit tells of', () => {
  test('is published without being read back', async () => {
    const { place, database, lease, write } = await anOutbox();
    const relay = relayOf(place, database, lease);
    await relay.publish();
    const rows = await write(1, 2);
    await place.client.query('alter table lobby_outbox rename to away');
    relay.wake(rows);
    expect(await relay.publish()).toBe('done');
    await place.client.query('alter table away rename to lobby_outbox');
    await relay.publish();
    expect(await turnsTold(place)).toEqual([1, 2]);
    expect(relay.seen).toEqual({ published: 2, announced: 0 });
  });

  test('waits for what is older: of a worker before, or of a commit that nobody told of', async () => {
    const { place, database, lease, write } = await anOutbox();
    await write(1, 2);
    const relay = relayOf(place, database, lease);
    relay.wake(await write(3));
    await relay.publish();
    expect(await turnsTold(place)).toEqual([1, 2, 3]);
    await write(4);
    relay.wake(await write(5));
    await relay.publish();
    relay.wake(await write(6));
    await relay.publish();
    expect(await turnsTold(place)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('and what is newer and was not told of: all of it is published', async () => {
    const { place, database, lease, write } = await anOutbox();
    const relay = relayOf(place, database, lease);
    await relay.publish();
    relay.wake(await write(1));
    await write(2);
    relay.wake();
    await relay.publish();
    expect(await turnsTold(place)).toEqual([1, 2]);
  });

  test('while other outboxes take numbers: in order, and of this one only', async () => {
    const { place, database, lease } = await anOutbox();
    const relay = relayOf(place, database, lease);
    for (const turn of [1, 2, 3]) {
      await write(place, [turn * 100], 'another_label');
      relay.wake(await write(place, [turn]));
      await relay.publish();
    }
    expect(await turnsTold(place)).toEqual([1, 2, 3]);
  });

  test('is told again, and what was told before it, when Redis has lost that', async () => {
    const { place, database, lease, write } = await anOutbox();
    const relay = relayOf(place, database, lease);
    await write(1, 2, 3);
    await relay.publish();
    await loseWritesAfter(place, 1, 1);
    relay.wake(await write(4));
    await relay.publish();
    expect(await turnsTold(place)).toEqual([1, 2, 3, 4]);
    expect(relay.seen.announced).toBe(0);
  });

  test.each(['fails', 'its reply is lost'] as const)('in a call that %s: told once', async (fault) => {
    const { place, database, lease, write } = await anOutbox();
    const relay = relayOf(place, database, lease, (call) => (call % 2 === 1 ? fault : 'none'));
    await relay.publish();
    for (const turn of [1, 2, 3]) {
      relay.wake(await write(turn));
      await relay.publish();
    }
    expect(await turnsTold(place)).toEqual([1, 2, 3]);
  });

  test('by one whose lease is lost: nothing', async () => {
    const { place, database, lease, write } = await anOutbox();
    const old = relayOf(place, database, lease);
    await old.publish();
    const next = relayOf(place, database, await takeLease(database));
    await next.publish();
    old.wake(await write(1));
    expect(await old.publish()).toBe('fenced');
    expect(await turnsTold(place)).toEqual([]);
  });

  test('of more commits than are kept, while nobody publishes: in order, each once', async () => {
    const { place, database, lease } = await anOutbox();
    const relay = relayOf(place, database, lease);
    await relay.publish();
    const turns = Array.from({ length: 1_200 }, (_, index) => index + 1);
    for (const row of await write(place, turns)) relay.wake([row]);
    await relay.publish();
    relay.wake(await write(place, [1_201]));
    await relay.publish();
    expect(await turnsTold(place)).toEqual([...turns, 1_201]);
  });
});

/** Makes Redis as it was before its last writes: the place, and what is in the stream after it. */
async function loseWritesAfter(
  { redis, keys: { lobbyStream } }: HealthPlace,
  seq: number,
  kept: number,
): Promise<void> {
  const lost = (await redis.xrange(lobbyStream, '-', '+')).slice(kept).map(([id]) => id);
  await redis
    .multi()
    .hset(placeKey(lobbyStream), 'seq', seq)
    .xdel(lobbyStream, ...lost)
    .exec();
}

/** Lets all that was published look as if it had been long enough ago, and clears it away. */
async function clearOutbox({ client }: HealthPlace, relay: { publish(): Promise<string> }): Promise<void> {
  await client.query("update lobby_outbox set created_at = now() - interval '1 hour'");
  await relay.publish();
  expect((await client.query('select from lobby_outbox')).rowCount).toBe(0);
}

async function watermarkAll({ client }: HealthPlace): Promise<void> {
  await client.query(
    "insert into health_event_watermark (game_id, last_id, occurred_at_ms) select game_id, '1-0', 5 from runtime_record",
  );
}

describe('a Redis that has lost something', () => {
  test('its last writes: they are written again', async () => {
    const { place, database, lease, write } = await anOutbox();
    await write(1, 2, 3, 4);
    const relay = relayOf(place, database, lease);
    await relay.publish();
    await loseWritesAfter(place, 2, 2);
    expect(await turnsTold(place)).toEqual([1, 2]);
    await relay.publish();
    expect(await turnsTold(place)).toEqual([1, 2, 3, 4]);
    expect(relay.seen.announced).toBe(0);
  });

  test('all of it: what is kept is written again', async () => {
    const { place, database, lease, write } = await anOutbox();
    await write(1, 2);
    const relay = relayOf(place, database, lease);
    await relay.publish();
    await place.redis.del(placeKey(place.keys.lobbyStream), place.keys.lobbyStream);
    await relay.publish();
    expect(await turnsTold(place)).toEqual([1, 2]);
  });

  test('all of it, and nothing is kept: every game is announced as it is', async () => {
    const { place, database, lease, write } = await anOutbox();
    await watermarkAll(place);
    await write(1, 2);
    await relayOf(place, database, lease).publish();
    await clearOutbox(place, relayOf(place, database, lease));
    await place.redis.del(placeKey(place.keys.lobbyStream), place.keys.lobbyStream);
    const relay = relayOf(place, database, lease);
    await relay.publish();
    expect(relay.seen.announced).toBe(2);
    expect(await place.lobbyView()).toMatchObject({
      'game-1': { runtime_status: 'running', current_turn: '7' },
      'game-2': { runtime_status: 'stopped' },
    });
  });
});

describe('another database', () => {
  test('of another outbox: its numbers are its own', async () => {
    const { place, database, lease, write } = await anOutbox();
    await place.redis.hset(placeKey(place.keys.lobbyStream), { epoch: 'another', token: 999, seq: 999 });
    await write(1);
    await relayOf(place, database, lease).publish();
    expect(await turnsTold(place)).toEqual([1]);
  });

  test('restored from an older copy: what it tells next is told, and every game as it is', async () => {
    const { place, database, lease, write } = await anOutbox();
    await watermarkAll(place);
    await place.redis.hset(placeKey(place.keys.lobbyStream), { epoch: lease.epoch, token: lease.token, seq: 999 });
    await write(1);
    const relay = relayOf(place, database, lease);
    await relay.publish();
    await write(2);
    await relay.publish();
    expect(relay.seen.announced).toBe(2);
    expect((await turnsTold(place)).at(-1)).toBe(2);
  });
});

test('what was published is cleared away after a while, what was not is kept', async () => {
  const { place, database, lease, write } = await anOutbox();
  await write(1, 2);
  const relay = relayOf(place, database, lease);
  await relay.publish();
  expect((await place.client.query('select from lobby_outbox')).rowCount).toBe(2);
  await place.client.query("update lobby_outbox set created_at = now() - interval '1 hour'");
  await write(3);
  await relayOf(place, database, lease).publish();
  const { rows } = await place.client.query('select current_turn from lobby_outbox');
  expect(rows).toEqual([{ current_turn: 3 }]);
});
