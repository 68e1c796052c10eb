import { describe, expect, test } from 'vitest';
import { whyUnusable } from '../../../../workers/health-events/hardened/offset.ts';
import { until } from '../../../support/fixtures.ts';
import { addEvent } from '../../../support/health.ts';
import { aHealthPlace, type HealthPlace } from '../../../support/health-place.ts';

const at = (n: number) => ({ occurred_at_ms: String(1_775_121_800_000 + n) });

/** A place whose stream has had `n` events of one game, with ids from 1-0 on. */
async function aPlaceWith(n: number): Promise<HealthPlace> {
  const place = await aHealthPlace();
  await place.insert({});
  for (let i = 1; i <= n; i += 1) await addEvent(place.redis, place.keys.stream, failedAt(i), `${i}-0`);
  return place;
}

const failedAt = (n: number) => ({ event_type: 'probe_failed', ...at(n) });

/** How a worker that cannot begin ends. */
async function failureOf(place: HealthPlace, environment: Record<string, string> = {}): Promise<string> {
  const worker = await place.startProcess(environment);
  expect(await worker.ended).toBe(2);
  return worker.stderr.join('\n');
}

describe('where reading begins', () => {
  test('without an offset, at the beginning of the stream', async () => {
    const place = await aPlaceWith(3);
    const worker = await place.start();
    await place.settled();
    expect(await worker.metric('sluice_health_events_consumed_total', {})).toBe(3);
    expect(await place.offset()).toMatchObject({ last_id: '3-0', entries_read: '3' });
  });

  test('before there is a stream, at its beginning', async () => {
    const place = await aPlaceWith(0);
    const worker = await place.start();
    await until(async () => (await place.offset()) !== undefined);
    await place.add(failedAt(1));
    await place.settled();
    expect(await worker.metric('sluice_health_events_consumed_total', {})).toBe(1);
    expect(await place.offset()).toMatchObject({ entries_read: '1', gap_entries: '0' });
  });

  test('after the offset of the original, which is adopted once', async () => {
    const place = await aPlaceWith(5);
    await place.redis.set(place.keys.offsetKey, '3-0');
    const first = await place.start();
    await place.settled();
    expect(await first.metric('sluice_health_events_consumed_total', {})).toBe(2);
    expect(await place.offset()).toMatchObject({ last_id: '5-0', entries_read: '5' });
    await first.stop();

    await place.redis.set(place.keys.offsetKey, '1-0');
    const second = await place.start();
    await place.add(failedAt(6));
    await place.settled();
    expect(await second.metric('sluice_health_events_consumed_total', {})).toBe(1);
    expect(await place.redis.get(place.keys.offsetKey)).toBe('1-0');
  });

  test.each(['', 'abc', '$', '-', '5', '5-', '5-*', '-1-0', '1-99999999999999999999', ' 5-0'])(
    'no entry follows %j',
    (offset) => {
      expect(whyUnusable(offset, '9-0')).toContain('which is not an entry id');
    },
  );

  test('an entry follows what is not after the end of the stream', () => {
    expect(whyUnusable('9-0', '9-0')).toBeNull();
    expect(whyUnusable('0-0', '0-0')).toBeNull();
    expect(whyUnusable('9-1', '9-0')).toContain('after the last entry of the stream (9-0)');
    expect(whyUnusable('18446744073709551615-18446744073709551615', '9-0')).toContain('after the last entry');
  });

  test.each(['abc', '$', '9999-0'])(
    'an offset of the original that no entry can follow is refused: %j',
    async (offset) => {
      const place = await aPlaceWith(2);
      await place.redis.set(place.keys.offsetKey, offset);
      const failure = await failureOf(place);
      expect(failure).toContain(place.keys.offsetKey);
      expect(failure).toContain('SLUICE_HEALTH_BAD_OFFSET');
      expect(await place.offset()).toBeUndefined();
    },
  );

  test.each(['abc', '9999-0'])('… or, by the policy, the stream is read from its beginning: %j', async (offset) => {
    const place = await aPlaceWith(2);
    await place.redis.set(place.keys.offsetKey, offset);
    const worker = await place.start({ SLUICE_HEALTH_BAD_OFFSET: 'earliest' });
    await place.settled();
    expect(await worker.metric('sluice_health_events_consumed_total', {})).toBe(2);
  });

  test('… or only what is added from now on', async () => {
    const place = await aPlaceWith(2);
    await place.redis.set(place.keys.offsetKey, '$');
    const worker = await place.start({ SLUICE_HEALTH_BAD_OFFSET: 'latest' });
    await until(async () => (await place.offset()) !== undefined);
    await addEvent(place.redis, place.keys.stream, failedAt(3), '3-0');
    await place.settled();
    expect(await worker.metric('sluice_health_events_consumed_total', {})).toBe(1);
    expect(await place.offset()).toMatchObject({ last_id: '3-0', entries_read: '3', gap_entries: '0' });
  });
});

describe('entries that were removed unread', () => {
  test('trimmed past the offset: the exact number, once, and between which entries', async () => {
    const place = await aPlaceWith(2);
    const first = await place.start();
    await place.settled();
    await first.stop();
    for (let i = 3; i <= 8; i += 1) await addEvent(place.redis, place.keys.stream, failedAt(i), `${i}-0`);
    await place.redis.xtrim(place.keys.stream, 'MAXLEN', 3);
    const second = await place.start();
    await place.settled();
    expect(await place.offset()).toMatchObject({
      last_id: '8-0',
      entries_read: '8',
      gap_entries: '3',
      gap_after_id: '2-0',
      gap_before_id: '6-0',
    });
    expect(await second.metric('sluice_health_gap_entries_total', {})).toBe(3);
    await second.stop();
    const third = await place.start();
    await place.add(failedAt(9));
    await place.settled();
    expect(await third.metric('sluice_health_gap_entries_total', {})).toBe(0);
    expect(await place.offset()).toMatchObject({ gap_entries: '3' });
  });

  test('trimmed exactly to the offset: none', async () => {
    const place = await aPlaceWith(3);
    const first = await place.start();
    await place.settled();
    await first.stop();
    for (let i = 4; i <= 6; i += 1) await addEvent(place.redis, place.keys.stream, failedAt(i), `${i}-0`);
    await place.redis.xtrim(place.keys.stream, 'MAXLEN', 3);
    const second = await place.start();
    await place.settled();
    expect(await second.metric('sluice_health_gap_entries_total', {})).toBe(0);
    expect(await place.offset()).toMatchObject({ entries_read: '6', gap_entries: '0' });
  });

  test('deleted one by one, and the whole rest of the stream', async () => {
    const place = await aPlaceWith(2);
    const first = await place.start();
    await place.settled();
    await first.stop();
    for (let i = 3; i <= 8; i += 1) await addEvent(place.redis, place.keys.stream, failedAt(i), `${i}-0`);
    await place.redis.xdel(place.keys.stream, '4-0', '6-0');
    const second = await place.start();
    await place.settled();
    await until(async () => (await place.offset())?.gap_entries === '2');
    await second.stop();
    for (let i = 9; i <= 12; i += 1) await addEvent(place.redis, place.keys.stream, failedAt(i), `${i}-0`);
    await place.redis.xtrim(place.keys.stream, 'MAXLEN', 0);
    await place.start();
    await until(async () => (await place.offset())?.gap_entries === '6');
    expect(await place.offset()).toMatchObject({ entries_read: '12', gap_after_id: '8-0', gap_before_id: null });
  });

  test('while the worker reads', async () => {
    const place = await aPlaceWith(1);
    const worker = await place.start();
    await place.settled();
    const added = place.redis.multi();
    for (let i = 2; i <= 5; i += 1) added.xadd(place.keys.stream, `${i}-0`, 'game_id', 'game-1');
    await added.xtrim(place.keys.stream, 'MAXLEN', 1).exec();
    await place.settled();
    expect(await worker.metric('sluice_health_gap_entries_total', {})).toBe(3);
  });
});

describe('another stream under the same name', () => {
  test('begun anew with lower ids: it is read from its beginning, and old events change nothing', async () => {
    const place = await aPlaceWith(0);
    const { stream } = place.keys;
    await addEvent(place.redis, stream, { event_type: 'container_exited', ...at(1) }, '1775121900100-0');
    await addEvent(place.redis, stream, { event_type: 'probe_recovered', ...at(2) }, '1775121900101-0');
    const worker = await place.start();
    await place.settled();
    await place.redis.del(stream);
    await addEvent(place.redis, stream, { event_type: 'container_exited', ...at(1) }, '1775121900001-0');
    await addEvent(place.redis, stream, { event_type: 'container_oom', ...at(3) }, '1775121900002-0');
    await place.settled();
    expect(await place.records()).toMatchObject({ 'game-1': { status: 'engine_unreachable', engine_health: 'oom' } });
    expect(await worker.metric('sluice_health_events_total', { result: 'late' })).toBe(1);
    expect(await place.offset()).toMatchObject({ last_id: '1775121900002-0', entries_read: '2' });
  });

  test('begun anew with higher ids: noticed by the number of entries', async () => {
    const place = await aPlaceWith(5);
    const worker = await place.start();
    await place.settled();
    await worker.stop();
    await place.redis.del(place.keys.stream);
    await addEvent(place.redis, place.keys.stream, failedAt(9), '9-0');
    await place.start();
    await place.settled();
    expect(await place.offset()).toMatchObject({ last_id: '9-0', entries_read: '1', gap_entries: '0' });
  });

  test('begun anew while the worker waits, with a lower and a higher id: both are taken in', async () => {
    const place = await aPlaceWith(5);
    const { stream } = place.keys;
    const worker = await place.start();
    await place.settled();
    const fields = (n: number, event_type: string) =>
      Object.entries({ game_id: 'game-1', event_type, ...at(n) }).flat();
    await place.redis
      .multi()
      .del(stream)
      .xadd(stream, '2-0', ...fields(8, 'probe_failed'))
      .xadd(stream, '9-0', ...fields(9, 'container_exited'))
      .exec();
    await until(async () => (await place.offset())?.last_id === '9-0');
    await until(async () => (await worker.metric('sluice_health_events_total', { result: 'transitioned' })) === 1);
    expect(await worker.metric('sluice_health_events_total', { result: 'duplicate' })).toBe(0);
    expect(await place.offset()).toMatchObject({ last_id: '9-0', entries_read: '2' });
  });
});

test('a replay from the beginning changes nothing', async () => {
  const place = await aHealthPlace();
  await place.insert({});
  await place.add(
    { event_type: 'container_exited', ...at(1) },
    { event_type: 'probe_recovered', ...at(2) },
    { event_type: 'inspect_unhealthy', ...at(3) },
    { game_id: 'nobody' },
  );
  const first = await place.start({ SLUICE_HEALTH_GRACE_MS: '0' });
  await place.settled();
  await first.stop();
  const before = { records: await place.records(), lobby: await place.lobby() };
  await place.client.query("update stream_offset set last_id = '0-0', entries_read = 0");
  const second = await place.start({ SLUICE_HEALTH_GRACE_MS: '0' });
  await place.settled();
  expect({ records: await place.records(), lobby: await place.lobby() }).toEqual(before);
  expect(await second.metric('sluice_health_events_total', { result: 'duplicate' })).toBe(3);
  expect(await place.deadLetters()).toMatchObject([{ attempts: 2, state: 'open' }]);
});
