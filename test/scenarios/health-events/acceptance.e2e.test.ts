import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { compareStreamIds } from '../../../shared/contracts/stream-id.ts';
import { connect, until, untilBlocked } from '../../support/fixtures.ts';
import { aHealthPlace, type HealthPlace } from '../../support/health-place.ts';
import { startMigratedPostgres } from '../../support/migrated-postgres.ts';
import { startFragileRedis } from '../../support/private-servers.ts';

const at = (n: number) => ({ occurred_at_ms: String(1_775_121_800_000 + n) });
const exited = (n: number) => ({ event_type: 'container_exited', ...at(n) });
const recovered = (n: number) => ({ event_type: 'probe_recovered', ...at(n) });

/** What the lobby heard of a game, in order. */
async function heard(place: HealthPlace, gameId = 'game-1'): Promise<string[]> {
  const entries = await place.lobby();
  return entries
    .filter((entry) => entry['game_id'] === gameId)
    .map((entry) => `${entry['runtime_status']}/${entry['engine_health_summary']}`);
}

const isSorted = (ids: readonly string[]): boolean =>
  ids.every((id, index) => index === 0 || compareStreamIds(ids[index - 1] ?? '', id) <= 0);

describe('kills and outages', () => {
  test('a worker that is killed between its commit and its publication: the next one publishes, once', async () => {
    const { url } = await startFragileRedis();
    const place = await aHealthPlace({ redisUrl: url });
    await place.insert({});
    await place.add(exited(1), recovered(2), exited(3));
    // The server still answers questions, and keeps what would write waiting.
    await place.redis.call('CLIENT', 'PAUSE', '600000', 'WRITE');
    const first = await place.startProcess();
    await until(async () => (await place.records())['game-1']?.engine_health === 'exited');
    expect((await place.client.query('select from lobby_outbox')).rowCount).toBe(3);
    first.kill('SIGKILL');
    await first.ended;
    await place.redis.call('CLIENT', 'UNPAUSE');
    expect(await place.lobby()).toEqual([]);

    const second = await place.startProcess();
    await place.settled();
    expect(await heard(place)).toEqual(['engine_unreachable/exited', 'running/healthy', 'engine_unreachable/exited']);
    second.kill('SIGTERM');
    expect(await second.ended).toBe(0);
  });

  test('a worker that has published before, and is killed between its commit and its publication: the next one publishes, once', async () => {
    const { url } = await startFragileRedis();
    const place = await aHealthPlace({ redisUrl: url });
    await place.insert({});
    const first = await place.startProcess();
    await place.add(exited(1));
    await place.settled();
    await place.client.query('begin; select from stream_offset for update');
    await place.add(recovered(2), exited(3));
    await untilBlocked(place.databaseUrl);
    await place.redis.call('CLIENT', 'PAUSE', '600000', 'WRITE');
    await place.client.query('commit');
    await until(async () => (await place.client.query('select from lobby_outbox')).rowCount === 3);
    first.kill('SIGKILL');
    await first.ended;
    await place.redis.call('CLIENT', 'UNPAUSE');
    expect(await heard(place)).toEqual(['engine_unreachable/exited']);

    await place.startProcess();
    await place.settled();
    expect(await heard(place)).toEqual(['engine_unreachable/exited', 'running/healthy', 'engine_unreachable/exited']);
  });

  test('PostgreSQL is killed and comes back: no event is lost', async () => {
    const postgres = await startMigratedPostgres();
    const place = await aHealthPlace({ databaseUrl: postgres.url });
    await place.insert({}, { game_id: 'game-2' });
    const worker = await place.startProcess();
    await place.add(exited(1));
    await place.settled();
    await postgres.kill();
    await place.add(recovered(2), { game_id: 'game-2', event_type: 'container_oom' });
    await until(() => worker.says('database is in trouble; the stream waits'));
    await place.add({ event_type: 'probe_failed', ...at(3) });
    await postgres.startAgain();
    await until(() => worker.says('database answers again'));
    const client = await connect(postgres.url);
    await until(async () => {
      const { rows } = await client.query('select game_id, status, engine_health from runtime_record order by game_id');
      return (
        JSON.stringify(rows.map(Object.values)) ===
        '[["game-1","running","probe_failed"],["game-2","engine_unreachable","oom"]]'
      );
    });
    await until(async () => (await heard(place)).at(-1) === 'running/probe_failed');
    expect(await heard(place)).toEqual(['engine_unreachable/exited', 'running/healthy', 'running/probe_failed']);
    expect(await heard(place, 'game-2')).toEqual(['engine_unreachable/oom']);
  });

  test('Redis is killed in the middle and comes back: reading and publishing go on', async () => {
    const redis = await startFragileRedis();
    const place = await aHealthPlace({ redisUrl: redis.url });
    await place.insert({});
    const worker = await place.startProcess();
    await place.add(exited(1));
    await place.settled();
    await redis.kill();
    await until(() => worker.says('Redis is in trouble; the stream waits'));
    await redis.startAgain();
    await place.add(recovered(2));
    await place.settled();
    expect(await heard(place)).toEqual(['engine_unreachable/exited', 'running/healthy']);
    worker.kill('SIGTERM');
    expect(await worker.ended).toBe(0);
  });

  test('a frozen server is found out, and asked again when it thaws', async () => {
    const redis = await startFragileRedis();
    const place = await aHealthPlace({ redisUrl: redis.url });
    await place.insert({});
    const worker = await place.startProcess();
    await place.add(exited(1));
    await place.settled();
    redis.freeze();
    worker.kill('SIGTERM');
    expect(await worker.ended).toBe(0);
    redis.thaw();
    expect(await heard(place)).toEqual(['engine_unreachable/exited']);
  });
});

describe('a Redis that refuses', () => {
  test('for a while, as a replica does in a failover: asked again until it takes writes', async () => {
    const { url } = await startFragileRedis();
    const place = await aHealthPlace({ redisUrl: url });
    await place.insert({});
    const worker = await place.startProcess();
    await place.add(exited(1));
    await place.settled();
    await place.add(recovered(2));
    // A replica of nobody still answers questions, and refuses writes.
    await place.redis.config('SET', 'replica-serve-stale-data', 'yes');
    await place.redis.replicaof('127.0.0.1', 1);
    await until(async () => (await worker.metric('sluice_health_retries_total', { code: 'READONLY' })) > 0);
    await place.redis.replicaof('NO', 'ONE');
    await place.settled();
    expect(await heard(place)).toEqual(['engine_unreachable/exited', 'running/healthy']);
  });

  test('until a person mends it: the worker says what there is to mend, and goes on', async () => {
    const place = await aHealthPlace();
    await place.insert({ game_id: 'game-1' });
    await place.redis.set(place.keys.stream, 'no stream');
    const worker = await place.startProcess();
    await until(() => worker.stdout.some((line) => line.includes('SLUICE_HEALTH_STREAM')));
    await place.redis.del(place.keys.stream);
    await place.add(exited(1));
    await place.settled();
    expect(await heard(place)).toEqual(['engine_unreachable/exited']);
  });
});

describe('several workers', () => {
  test('two workers, one of them killed again and again: each change is told once, the offset never goes back', async () => {
    const place = await aHealthPlace();
    const offsets = await place.watchOffsets();
    const games = Array.from({ length: 20 }, (_, index) => `game-${index}`);
    await place.insert(...games.map((game_id) => ({ game_id })));
    const workers = [await place.startProcess(), await place.startProcess()];
    const rounds = 30;
    for (let round = 0; round < rounds; round += 1) {
      const change = round % 2 === 0 ? exited : recovered;
      await place.add(...games.map((game_id) => ({ game_id, ...change(round) })));
      if (round % 10 === 5) {
        workers[0]?.kill('SIGKILL');
        await workers[0]?.ended;
        workers.push(...workers.splice(0, 1, await place.startProcess()).slice(1));
      }
      await sleep(20);
    }
    await place.settled();
    for (const game of games) {
      const told = await heard(place, game);
      expect(told).toEqual(
        Array.from({ length: rounds }, (_, round) =>
          round % 2 === 0 ? 'engine_unreachable/exited' : 'running/healthy',
        ),
      );
    }
    const history = await offsets();
    expect(history.length).toBeGreaterThan(0);
    expect(isSorted(history)).toBe(true);
  });

  test('a leader that was stopped is fenced off when it goes on', async () => {
    const place = await aHealthPlace();
    const offsets = await place.watchOffsets();
    await place.insert({});
    const old = await place.startProcess();
    await place.add(exited(1));
    await place.settled();
    old.kill('SIGSTOP');
    const next = await place.startProcess();
    await place.add(recovered(2), exited(3));
    await place.settled();
    old.kill('SIGCONT');
    await place.add(recovered(4));
    await place.settled();
    await until(() => old.says('stopped reading the stream'));
    expect(await next.metric('sluice_health_lease_held')).toBe(1);
    expect(await old.metric('sluice_health_lease_held')).toBe(0);
    expect(await heard(place)).toEqual([
      'engine_unreachable/exited',
      'running/healthy',
      'engine_unreachable/exited',
      'running/healthy',
    ]);
    expect(isSorted(await offsets())).toBe(true);
  });

  test('of two labels, one is killed: the other one tells the lobby from then on, of everything, and of nothing twice', async () => {
    const place = await aHealthPlace();
    await place.insert({});
    const first = await place.startProcess();
    await place.add(exited(1));
    await until(async () => (await heard(place)).length === 1);
    const second = await place.startProcess({ SLUICE_HEALTH_LABEL: 'health_events_v2' });
    const refusal =
      'another consumer publishes to the lobby stream, so this one does not: stop one of them, or give it its own lobby stream';
    await until(() => second.says(refusal));
    await place.add(recovered(2));
    await until(async () => (await heard(place)).length === 2);
    first.kill('SIGKILL');
    await first.ended;
    await place.add(exited(3));
    await until(() => second.says('this consumer now publishes to the lobby stream'));
    await place.add(recovered(4));
    await until(async () => (await heard(place)).length === 4);
    expect(await heard(place)).toEqual([
      'engine_unreachable/exited',
      'running/healthy',
      'engine_unreachable/exited',
      'running/healthy',
    ]);
    expect(await second.metric('sluice_health_lobby_refused')).toBe(0);
  });

  test('a leader that ends hands the stream over at once', async () => {
    const place = await aHealthPlace();
    await place.insert({});
    const long = { SLUICE_HEALTH_LEASE_MS: '3600000' };
    const first = await place.startProcess(long);
    await until(() => first.says('reading the stream'));
    first.kill('SIGTERM');
    expect(await first.ended).toBe(0);
    const second = await place.startProcess(long);
    await until(() => second.says('reading the stream'));
  });
});
