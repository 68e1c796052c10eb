import { describe, expect, test } from 'vitest';
import { until } from '../../support/fixtures.ts';
import { aHealthPlace, type HealthPlace } from '../../support/health-place.ts';
import { watchMemory } from '../../support/peak-memory.ts';
import { startFragileRedis } from '../../support/private-servers.ts';

const mib = 1_024 * 1_024;

/** What a container of this size leaves: a worker that goes beyond it is killed there. */
const containerBytes = 256 * mib;
const inContainer = { NODE_OPTIONS: '--max-old-space-size=192' };

/** A place on a Redis of its own, which keeps nothing on disk: what is written there is large. */
async function aLargePlace(): Promise<HealthPlace> {
  const { url } = await startFragileRedis();
  const place = await aHealthPlace({ redisUrl: url });
  await place.redis.config('SET', 'appendonly', 'no');
  return place;
}

/** Adds events of `game-1`, each with a field of so many bytes that nobody reads; the server makes them, so that it is quick. */
async function addLarge(place: HealthPlace, { count, bytes }: { count: number; bytes: number }): Promise<void> {
  await place.redis.eval(
    `local details = string.rep('x', tonumber(ARGV[2]))
     for n = 1, tonumber(ARGV[1]) do
       redis.call('XADD', KEYS[1], '*', 'game_id', 'game-1', 'event_type', n % 2 == 0 and 'probe_failed' or 'container_started',
         'occurred_at_ms', tostring(1775121800000 + n), 'details', details)
     end`,
    ...[1, place.keys.stream, count, bytes],
  );
}

const last = { event_type: 'container_exited', occurred_at_ms: '1775121900000' };

describe.each([
  {
    mode: 'hardened',
    sizes: [
      { count: 1_500, bytes: 100_000 },
      { count: 600, bytes: 300_000 },
      { count: 2, bytes: 64 * mib },
    ],
  },
  {
    mode: 'mirror',
    // One by one, so that fewer say as much.
    sizes: [
      { count: 200, bytes: 300_000 },
      { count: 2, bytes: 64 * mib },
    ],
  },
])('large entries, $mode', ({ mode, sizes }) => {
  const environment = { ...inContainer, HEALTH_EVENTS_MODE: mode };

  /** Resolves when the event after the large ones is taken in. */
  const untilLast = (place: HealthPlace) =>
    until(async () => (await place.records())['game-1']?.engine_health === 'exited');

  test.each(sizes)(
    '$count of $bytes bytes that are there when a worker starts: it takes them in, in the memory of a small container',
    async ({ count, bytes }) => {
      const place = await aLargePlace();
      await place.insert({});
      await addLarge(place, { count, bytes });
      await place.add(last);
      const worker = await place.startProcess(environment);
      const peak = watchMemory(worker.pid);
      await untilLast(place);
      await until(async () => (await worker.metric('sluice_health_events_consumed_total')) === count + 1);
      expect(peak()).toBeLessThan(containerBytes);
      expect(await place.deadLetters()).toEqual([]);
    },
  );

  test('one of 64 MB that comes while a worker waits', async () => {
    const place = await aLargePlace();
    await place.insert({});
    const worker = await place.startProcess(environment);
    await place.add({});
    await until(async () => (await place.records())['game-1']?.engine_health === 'healthy');
    const peak = watchMemory(worker.pid);
    await addLarge(place, { count: 1, bytes: 64 * mib });
    await place.add(last);
    await untilLast(place);
    await until(async () => (await worker.metric('sluice_health_events_consumed_total')) === 3);
    expect(peak()).toBeLessThan(containerBytes);
    worker.kill('SIGTERM');
    expect(await worker.ended).toBe(0);
  });
});

test('hardened, large entries that are no events: dead letters of what can be kept, and the rest goes on', async () => {
  const place = await aLargePlace();
  await place.insert({});
  const large = 'x'.repeat(8 * mib);
  await place.add(
    { game_id: undefined, details: large },
    { game_id: large },
    { container_id: 'y'.repeat(100_000) },
    last,
  );
  const worker = await place.startProcess(inContainer);
  const peak = watchMemory(worker.pid);
  await place.settled();
  expect(await place.records()).toMatchObject({ 'game-1': { engine_health: 'exited' } });
  const { rows } = await place.client.query(
    `select code, reason, contract_version as version, length(payload) as chars, payload::json ->> 'event_type' as type
     from dead_letter order by job_id`,
  );
  expect(rows).toEqual([
    {
      code: 'malformed',
      reason: 'game_id is missing; the entry has 8388693 bytes, and the dead letter leaves out what is not read',
      version: 1,
      chars: expect.any(Number),
      type: 'container_started',
    },
    {
      code: 'malformed',
      reason:
        'game_id has 8388608 bytes, more than are read; the entry has 8388702 bytes, and the dead letter leaves out what is not read',
      // What it was about is not in the dead letter, so it cannot be put back.
      version: null,
      chars: expect.any(Number),
      type: 'container_started',
    },
    {
      code: 'malformed',
      reason: 'container_id has 100000 bytes, more than are read',
      version: 1,
      chars: expect.any(Number),
      type: 'container_started',
    },
  ]);
  expect(rows.map(({ chars }) => chars < 1_000)).toEqual([true, true, false]);
  expect(peak()).toBeLessThan(containerBytes);
});
