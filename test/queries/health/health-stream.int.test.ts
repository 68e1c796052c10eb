import { expect, test } from 'vitest';
import type { StoredOffset } from '../../../queries/health/health.ts';
import {
  countBehind,
  countForOffset,
  countLostUnnoticed,
  positionOf,
  readHealthStream,
  readUnread,
} from '../../../queries/health/health-stream.ts';
import { loadConfig } from '../../../shared/platform/config/config.ts';
import { readStreamFacts } from '../../../shared/platform/redis/stream-facts.ts';
import { addEvent, connectRedis, createHealthKeys } from '../../support/health.ts';

/** A stream of entries 1-0 to 8-0, of which the first three are trimmed. */
async function setUp() {
  const keys = createHealthKeys();
  const redis = connectRedis();
  for (let id = 1; id <= 8; id += 1) await addEvent(redis, keys.stream, {}, `${id}-0`);
  await redis.xtrim(keys.stream, 'MAXLEN', 5);
  const facts = await readStreamFacts(redis, keys.stream);
  if (facts === null) throw new Error('the stream is there');
  return { ...keys, redis, facts, config: loadConfig(keys.environment).health };
}

const at = (lastId: string, entriesRead: number | null = null) => ({ lastId, entriesRead, savedIn: 'redis' as const });

test('health stream: what is unread is counted by what was read, or else by what is there', async () => {
  const { redis, stream, facts } = await setUp();
  const behind = (lastId: string, entriesRead?: number) => countBehind(redis, stream, facts, at(lastId, entriesRead));
  expect(await behind('8-0', 8)).toBe(0);
  expect(await behind('6-0', 6)).toBe(2);
  expect(await behind('6-0')).toBe(2);
  // Of those before the first that is there, none can be read.
  expect(await behind('1-0', 1)).toBe(5);
  expect(await behind('1-0')).toBe(5);
  expect(await behind('0-0')).toBe(5);
  expect(await behind('9-0', 9)).toBe(0);
  expect(await behind('$')).toBeNull();
  expect(await countBehind(redis, stream, { ...facts, entriesAdded: null }, at('6-0'))).toBeNull();
});

test('health stream: what is gone and was not read is lost, exactly up to the boundary', async () => {
  const { facts } = await setUp();
  expect(countLostUnnoticed(facts, at('1-0', 1))).toBe(2);
  expect(countLostUnnoticed(facts, at('3-0', 3))).toBe(0);
  expect(countLostUnnoticed(facts, at('8-0', 8))).toBe(0);
  expect(countLostUnnoticed(facts, at('1-0'))).toBe(0);
  expect(countLostUnnoticed(null, at('1-0', 1))).toBe(0);
});

test('health stream: of an offset that a person chooses, what is gone counts as read', async () => {
  const { redis, stream, facts } = await setUp();
  const count = (lastId: string) => countForOffset(redis, stream, facts, lastId);
  expect(await Promise.all(['0-0', '2-0', '3-0', '4-0', '6-5', '8-0', '9-0'].map(count))).toEqual([
    3, 3, 3, 4, 6, 8, 8,
  ]);
  expect(await countForOffset(redis, stream, { ...facts, entriesAdded: null }, '4-0')).toBeNull();
  expect(await countForOffset(redis, `${stream}:none`, null, '0-0')).toBe(0);
  expect(await countForOffset(redis, `${stream}:none`, null, '4-0')).toBeNull();
});

test('health stream: the oldest unread entry is told with its age by the clock of Redis', async () => {
  const { redis, stream } = await setUp();
  const { oldestId, oldestAgeMs } = await readUnread(redis, stream, '5-0');
  expect(oldestId).toBe('6-0');
  expect(Math.abs(Date.now() - oldestAgeMs)).toBeLessThan(60_000);
  expect(await readUnread(redis, stream, '8-0')).toEqual({ oldestId: null, oldestAgeMs: 0 });
  // An id may be of a clock that is ahead.
  await addEvent(redis, stream, {}, `${Date.now() + 3_600_000}-0`);
  expect((await readUnread(redis, stream, '8-0')).oldestAgeMs).toBe(0);
});

test("health stream: Redis has the stream, the original's offset, or nothing", async () => {
  const { redis, config, offsetKey, facts } = await setUp();
  const nothing = { facts: null, originalOffset: null };
  expect(await readHealthStream(redis, { ...config, stream: `${config.stream}:none` })).toEqual(nothing);
  await redis.set(offsetKey, '6-0');
  expect(await readHealthStream(redis, config)).toEqual({ facts, originalOffset: '6-0' });
});

test('health stream: an offset of our own goes before that of the original, but in mirror mode', () => {
  const stored: StoredOffset = {
    lastId: '5-0',
    entriesRead: 4,
    fencingToken: 1,
    gapEntries: 0,
    gapAt: null,
    gapAfterId: null,
    gapBeforeId: null,
    updatedAt: new Date(0),
  };
  expect(positionOf('hardened', stored, '6-0')).toEqual({ lastId: '5-0', entriesRead: 4, savedIn: 'postgres' });
  expect(positionOf('hardened', null, '6-0')).toEqual(at('6-0'));
  expect(positionOf('hardened', null, null)).toEqual({ lastId: '0-0', entriesRead: null, savedIn: 'nowhere' });
  expect(positionOf('mirror', stored, '6-0')).toEqual(at('6-0'));
  expect(positionOf('mirror', stored, null)).toEqual({ lastId: '0-0', entriesRead: null, savedIn: 'nowhere' });
  expect(positionOf('mirror', null, '')).toEqual(at(''));
});
