import { expect, test } from 'vitest';
import { findRival, publishedThrough, readLobbyPlace } from '../../../queries/health/lobby-rival.ts';
import type { Lease } from '../../../workers/health-events/lease.ts';
import { createLobbyPlace } from '../../../workers/health-events/outbox/lobby-place.ts';
import { connectRedis, createHealthKeys } from '../../support/health.ts';

/** A lobby's stream, and consumers that would publish to it. */
function aLobby() {
  const { lobbyStream } = createHealthKeys();
  const redis = connectRedis();
  const consumer = (label: string) => {
    const lease: Lease = { label, token: 1, epoch: `outbox of ${label}`, holder: `host of ${label}`, session: label };
    return createLobbyPlace({ redis, lobbyStream, lease, silenceMs: 60_000 });
  };
  return { consumer, look: () => readLobbyPlace(redis, lobbyStream) };
}

test('lobby rival: nobody, where nobody publishes, and where only the one that is looked at does', async () => {
  const { consumer, look } = aLobby();
  expect(findRival(await look(), null)).toBeNull();
  expect(publishedThrough(await look(), null)).toBe(0);
  await consumer('a').call('join');
  expect(findRival(await look(), 'outbox of a')).toBeNull();
});

test('lobby rival: each sees the other, the one that publishes and the one that is refused, until it is gone', async () => {
  const { consumer, look } = aLobby();
  const [a, b] = [consumer('a'), consumer('b')];
  await a.call('join');
  await a.call('move', '7');
  expect((await b.call('join')).outcome).toBe('refused');
  const place = await look();
  expect(findRival(place, 'outbox of b')).toMatchObject({ state: 'publishes', label: 'a', holder: 'host of a' });
  expect(findRival(place, 'outbox of a')).toMatchObject({ state: 'refused', label: 'b', holder: 'host of b' });
  expect(findRival({ ...place, nowMs: place.nowMs + 60_000 }, 'outbox of a')).toBeNull();
  await a.release();
  expect(findRival(await look(), 'outbox of b')).toBeNull();
  expect(findRival(await look(), null)).toBeNull();
});

test('lobby rival: how far an outbox was published is known also while another one is', async () => {
  const { consumer, look } = aLobby();
  const [a, b] = [consumer('a'), consumer('b')];
  await a.call('join');
  await a.call('move', '7');
  await a.release();
  const { outcome, seq, publisher } = await b.call('join');
  expect([outcome, seq, publisher.epoch]).toEqual(['vacant', 7, 'outbox of a']);
  await b.call('take', publisher.epoch, String(seq));
  await b.call('move', '3');
  const place = await look();
  const seqs = ['outbox of a', 'outbox of b', 'another', null].map((epoch) => publishedThrough(place, epoch));
  expect(seqs).toEqual([7, 3, 0, 0]);
});
