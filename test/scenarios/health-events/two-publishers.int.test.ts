import { randomBytes } from 'node:crypto';
import { describe, expect, onTestFinished, test } from 'vitest';
import { placeKey } from '../../../shared/contracts/lobby-event.ts';
import type { Database } from '../../../shared/platform/postgres/database.ts';
import { acquireLease, type Lease } from '../../../workers/health-events/lease.ts';
import { createLobbyRelay } from '../../../workers/health-events/outbox/lobby-relay.ts';
import { until } from '../../support/fixtures.ts';
import { openDatabase } from '../../support/health.ts';
import { aHealthPlace, type HealthPlace } from '../../support/health-place.ts';

type Worker = Awaited<ReturnType<HealthPlace['start']>>;

const at = (n: number) => ({ occurred_at_ms: String(1_775_121_800_000 + n) });
const exited = (n: number) => ({ event_type: 'container_exited', ...at(n) });
const recovered = (n: number) => ({ event_type: 'probe_recovered', ...at(n) });
const games = Array.from({ length: 200 }, (_, index) => `game-${index}`);

/** Another label, as a deployment has it that renames the consumer. */
const newLabel = { SLUICE_HEALTH_LABEL: 'health_events_v2' };

/** Lets the worker of another database read and publish the same streams. */
const streamsOf = ({ keys }: HealthPlace) => ({
  SLUICE_HEALTH_STREAM: keys.stream,
  SLUICE_HEALTH_LOBBY_STREAM: keys.lobbyStream,
});

const isRefused = async (worker: Worker): Promise<boolean> =>
  (await worker.metric('sluice_health_lobby_refused', {})) === 1;
const isLeading = async (worker: Worker): Promise<boolean> =>
  (await worker.metric('sluice_health_lease_held', {})) === 1;

/** What was published long ago is gone from the outbox: whoever finds nothing of it in Redis has to announce all games. */
async function forgetPublished({ client }: HealthPlace): Promise<void> {
  await client.query(`
    update stream_lease as lease set outbox_floor = greatest(1, outbox_floor,
      (select max(seq) from lobby_outbox where label = lease.label));
    delete from lobby_outbox`);
}

/** The statuses that the lobby was told of a game, in order. */
async function heard(place: HealthPlace, gameId: string): Promise<string[]> {
  return (await place.lobby())
    .filter((entry) => entry['game_id'] === gameId)
    .map((entry) => String(entry['runtime_status']));
}

async function untilTold(place: HealthPlace, entries: number): Promise<void> {
  await until(async () => (await place.redis.xlen(place.keys.lobbyStream)) >= entries);
}

/**
 * Resolves when those that publish, or may not, have looked at the place so many times more.
 *
 * @param who the field of the place that each look of theirs changes
 */
async function untilLooked({ redis, keys }: HealthPlace, who: 'seen_at' | 'refused_at', times: number): Promise<void> {
  const looks = new Set<string | null>();
  await until(async () => looks.add(await redis.hget(placeKey(keys.lobbyStream), who)).size > times);
}

describe('two labels on one database', () => {
  test('one of them publishes, and the lobby is told of each change once, by whichever it was taken in', async () => {
    const place = await aHealthPlace();
    await place.insert(...games.map((game_id) => ({ game_id })));
    const first = await place.start();
    await place.add(...games.map((game_id) => ({ game_id, ...exited(1) })));
    await untilTold(place, games.length);
    await forgetPublished(place);

    const second = await place.start(newLabel);
    await until(() => isRefused(second));
    await forgetPublished(place);
    const rounds = 6;
    for (let round = 2; round <= rounds; round += 1) {
      const change = round % 2 === 0 ? recovered : exited;
      await place.add(...games.map((game_id) => ({ game_id, ...change(round) })));
      await untilTold(place, games.length * round);
    }
    for (const who of ['seen_at', 'refused_at'] as const) await untilLooked(place, who, 3);
    expect(await place.redis.xlen(place.keys.lobbyStream)).toBe(games.length * rounds);
    const told = Array.from({ length: rounds }, (_, round) => (round % 2 === 0 ? 'engine_unreachable' : 'running'));
    for (const game of games.slice(0, 20)) expect(await heard(place, game)).toEqual(told);
    expect(await isRefused(first)).toBe(false);
    expect(await isRefused(second)).toBe(true);
    expect((await place.client.query('select from stream_offset')).rowCount).toBe(2);
  });

  test('the other one publishes as soon as the first has ended, and nothing is told again', async () => {
    const place = await aHealthPlace();
    await place.insert({});
    const long = { SLUICE_HEALTH_LEASE_MS: '3600000' };
    const first = await place.start(long);
    await place.add(exited(1));
    await untilTold(place, 1);
    await forgetPublished(place);
    const second = await place.start({ ...newLabel, ...long });
    await until(() => isRefused(second));
    await first.stop();
    await until(async () => !(await isRefused(second)));
    await place.add(recovered(2));
    await untilTold(place, 2);
    // Whatever it told again would come before.
    await place.add(exited(3));
    await untilTold(place, 3);
    expect(await heard(place, 'game-1')).toEqual(['engine_unreachable', 'running', 'engine_unreachable']);
  });
});

describe('two databases on one Redis', () => {
  test('one of them publishes; the other keeps its records, and tells of what has changed, each game once, when it may', async () => {
    const place = await aHealthPlace();
    const other = await aHealthPlace();
    for (const each of [place, other]) await each.insert(...games.map((game_id) => ({ game_id })));
    const first = await place.start();
    await place.add(...games.map((game_id) => ({ game_id, ...exited(1) })));
    await untilTold(place, games.length);
    await forgetPublished(place);

    const second = await other.start(streamsOf(place));
    await until(() => isRefused(second));
    const changed = games.slice(0, 50);
    for (let round = 2; round <= 6; round += 1) {
      const change = round % 2 === 0 ? recovered : exited;
      await place.add(...changed.map((game_id) => ({ game_id, ...change(round) })));
      await untilTold(place, games.length + changed.length * (round - 1));
    }
    const end = (await place.redis.xrevrange(place.keys.stream, '+', '-', 'COUNT', 1))[0]?.[0];
    await until(async () => (await other.offset())?.last_id === end);
    // Of each game one snapshot waits, and no more.
    const waiting = async () => (await other.client.query('select game_id from lobby_outbox')).rowCount;
    await until(async () => (await waiting()) === games.length);
    expect(Object.values(await other.records()).filter(({ status }) => status === 'running')).toHaveLength(50);
    const told = games.length + changed.length * 5;
    expect(await place.redis.xlen(place.keys.lobbyStream)).toBe(told);
    expect(await isRefused(first)).toBe(false);

    await first.stop();
    await untilTold(place, told + games.length);
    await until(async () => !(await isRefused(second)));
    await untilLooked(place, 'seen_at', 3);
    expect(await place.redis.xlen(place.keys.lobbyStream)).toBe(told + games.length);
    const last = (await place.lobby()).slice(told);
    expect(new Set(last.map((entry) => entry['game_id'])).size).toBe(games.length);
  });

  test('each with snapshots that nobody has any more: no flood, whoever publishes', async () => {
    const place = await aHealthPlace();
    const other = await aHealthPlace();
    for (const each of [place, other]) await each.insert(...games.map((game_id) => ({ game_id })));
    const workers = [await place.start(), await other.start(streamsOf(place))];
    await place.add(...games.map((game_id) => ({ game_id, ...exited(1) })));
    await untilTold(place, games.length);
    for (const each of [place, other]) await forgetPublished(each);
    for (const who of ['seen_at', 'refused_at'] as const) await untilLooked(place, who, 5);
    expect(await place.redis.xlen(place.keys.lobbyStream)).toBe(games.length);
    expect((await Promise.all(workers.map(isRefused))).filter(Boolean)).toHaveLength(1);
    expect(await Promise.all(workers.map(isLeading))).toEqual([true, true]);
  });
});

test('mirror mode reads nothing while a hardened consumer publishes, and goes on when that has ended', async () => {
  const place = await aHealthPlace();
  const other = await aHealthPlace();
  for (const each of [place, other]) await each.insert({});
  const hardened = await place.start();
  await place.add(exited(1));
  await untilTold(place, 1);
  const mirror = await other.start({ ...streamsOf(place), HEALTH_EVENTS_MODE: 'mirror' });
  await until(() => isRefused(mirror));
  await place.add(recovered(2));
  await untilTold(place, 2);
  expect((await other.records())['game-1']?.engine_health).toBe('');
  await hardened.stop();
  await untilTold(place, 4);
  expect(await heard(place, 'game-1')).toEqual(['engine_unreachable', 'running', 'engine_unreachable', 'running']);

  // The other way round as well: what mirror mode publishes to is its own.
  const again = await place.start();
  await until(() => isRefused(again));
});

describe('the place', () => {
  /** A database with a game, and relays of leases. */
  async function aDatabase() {
    const place = await aHealthPlace();
    const database = openDatabase(place.databaseUrl);
    await place.insert({}, { game_id: 'game-2' });
    await place.client.query(
      "insert into health_event_watermark (game_id, last_id, occurred_at_ms) select game_id, '1-0', 5 from runtime_record",
    );
    return { place, database };
  }

  async function take(database: Database, label = 'health_events'): Promise<Lease> {
    await database.$executeRaw`update stream_lease set expires_at = now() - interval '1 hour'`;
    const lease = await acquireLease(database, { label, holder: `a test of ${label}`, ttlMs: 60_000 });
    if (lease === null) throw new Error('the lease was not to be had');
    return lease;
  }

  const write = ({ client }: HealthPlace, turn: number, label = 'health_events') =>
    client.query(
      `insert into lobby_outbox (label, game_id, current_turn, runtime_status, engine_health_summary, occurred_at_ms)
       values ($1, 'game-1', $2, 'running', 'healthy', 5)`,
      [label, turn],
    );

  function relayOf(place: HealthPlace, database: Database, lease: Lease, silenceMs = 60_000) {
    const publishers: (string | null)[] = [];
    let announced = 0;
    const relay = createLobbyRelay({
      ...{ database, redis: place.redis, lease, lobbyStream: place.keys.lobbyStream, silenceMs },
      onDatabase: (work) => work(),
      onRedis: (work) => work(),
      now: Date.now,
      onPublished: () => undefined,
      onAnnounced: (games) => {
        announced += games;
      },
      onPublisher: (publisher) => publishers.push(publisher?.holder ?? null),
    });
    return Object.assign(relay, { publishers, announced: () => announced });
  }

  const turns = async (place: HealthPlace) => (await place.lobby()).map((entry) => Number(entry['current_turn']));

  test('of a publisher that is silent goes to the next one, with what it left unpublished', async () => {
    const { place, database } = await aDatabase();
    const old = await take(database, 'old');
    await write(place, 1, 'old');
    await relayOf(place, database, old, 1_000).publish();
    await write(place, 2, 'old');
    const relay = relayOf(place, database, await take(database, 'new'));
    await write(place, 3, 'new');
    expect(await relay.publish()).toBe('refused');
    await until(async () => (await relay.publish()) === 'done');
    expect(relay.publishers).toEqual(['a test of old', null]);
    // The third went to the old one's outbox while that was thought to be alive, and came back with the second.
    expect(await turns(place)).toEqual([1, 2, 3]);
  });

  test('that comes back to a consumer is where it was: nothing is told twice', async () => {
    const { place, database } = await aDatabase();
    const one = relayOf(place, database, await take(database, 'one'));
    await write(place, 1, 'one');
    await one.publish();
    await one.release();
    const two = relayOf(place, database, await take(database, 'two'));
    await write(place, 2, 'two');
    expect(await two.publish()).toBe('done');
    await two.release();
    await write(place, 3, 'one');
    expect(await relayOf(place, database, await take(database, 'one')).publish()).toBe('done');
    expect(await turns(place)).toEqual([1, 2, 3]);
  });

  test('of a copy of the database: two sessions of one lease, of which one is refused', async () => {
    const { place, database } = await aDatabase();
    const lease = await take(database);
    const relay = relayOf(place, database, lease);
    expect(await relay.publish()).toBe('done');
    const copy = relayOf(place, database, { ...lease, session: 'another', holder: 'the copy' });
    expect(await copy.publish()).toBe('refused');
    await write(place, 1);
    expect(await copy.publish()).toBe('refused');
    expect(await relay.publish()).toBe('done');
    expect(await turns(place)).toEqual([1]);
  });

  test('has another name for a copy of the database', async () => {
    const { place, database } = await aDatabase();
    const { epoch } = await take(database);
    expect((await take(database)).epoch).toBe(epoch);
    await place.client.query('update stream_lease set database_id = null');
    expect((await take(database)).epoch).toBe(epoch);
    await place.client.query("update stream_lease set database_id = '1/1'");
    const copied = (await take(database)).epoch;
    expect(copied).not.toBe(epoch);
    expect((await take(database)).epoch).toBe(copied);
  });

  test('keeps its name where PostgreSQL does not say who it is', async () => {
    const { place, database } = await aDatabase();
    const { epoch } = await take(database);
    const role = `limited_${randomBytes(4).toString('hex')}`;
    await place.client.query(`
      create role ${role} login password 'secret';
      grant select, insert, update, delete on all tables in schema public to ${role};
      revoke execute on function pg_control_system() from public`);
    onTestFinished(async () => {
      await place.client.query(`drop owned by ${role}; drop role ${role}`);
    });
    const limited = new URL(place.databaseUrl);
    Object.assign(limited, { username: role, password: 'secret' });
    expect((await take(openDatabase(limited.href))).epoch).toBe(epoch);
  });

  test('is lost only a while after a clock that was set back, and not for as long as it was', async () => {
    const { place, database } = await aDatabase();
    const key = placeKey(place.keys.lobbyStream);
    await relayOf(place, database, await take(database, 'old'), 1_000).publish();
    await place.redis.hset(key, 'seen_at', Date.now() + 86_400_000);
    const relay = relayOf(place, database, await take(database, 'new'));
    expect(await relay.publish()).toBe('refused');
    await until(async () => (await relay.publish()) === 'done');
  });

  test('all games are announced once a minute at most, however often the lobby’s stream is lost, and whoever reads', async () => {
    const { place, database } = await aDatabase();
    const lose = async (): Promise<void> => {
      await forgetPublished(place);
      await place.redis.del(placeKey(place.keys.lobbyStream));
    };
    const first = relayOf(place, database, await take(database));
    await write(place, 1);
    await first.publish();
    await lose();
    await first.publish();
    expect(first.announced()).toBe(2);
    await lose();
    await first.publish();
    const second = relayOf(place, database, await take(database));
    await second.publish();
    expect([first.announced(), second.announced()]).toEqual([2, 0]);
    expect(await place.redis.xlen(place.keys.lobbyStream)).toBe(3);
    // Nothing is forgotten: the announcement is made as soon as it may be.
    await place.client.query("update stream_lease set announced_at = now() - interval '61 seconds'");
    await until(async () => (await second.publish()) === 'done' && second.announced() === 2);
    await second.publish();
    expect(await place.redis.xlen(place.keys.lobbyStream)).toBe(5);
  });
});
