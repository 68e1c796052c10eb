import { expect, test } from 'vitest';
import { createShardTurns } from '../../../producers/core/shard-turns.ts';

const nothing = new Set<string>();

/** Four shards on two servers: a has the first two, b the others. */
function setUp() {
  const clock = { nowMs: 0 };
  const full = new Set<string>();
  const turns = createShardTurns({
    shards: ['q', 'q-1', 'q-2', 'q-3'],
    serverOf: (index) => (index < 2 ? 'a' : 'b'),
    isNearlyFull: (index) => full.has(index < 2 ? 'a' : 'b'),
    answerWithinMs: 10_000,
    now: () => clock.nowMs,
    random: () => 0.5,
  });
  const next = (count: number) => Array.from({ length: count }, () => turns.next(nothing));
  return { clock, full, turns, next };
}

test('turns: each shard in its turn', () => {
  expect(setUp().next(9)).toEqual([0, 1, 2, 3, 0, 1, 2, 3, 0]);
});

test('turns: a server that has failed is left alone with all of its shards, and the others share evenly', () => {
  const { turns, next } = setUp();
  turns.onFailed('a');
  expect(next(5)).toEqual([2, 3, 2, 3, 2]);
  expect(turns.leftAlone).toBe(2);
});

test('turns: a shard that has failed for itself is left alone, and the others of its server are not', () => {
  const { turns, next } = setUp();
  turns.onFailed('q-1');
  expect(next(4)).toEqual([0, 2, 3, 0]);
  expect(turns.leftAlone).toBe(1);
});

test('turns: after its time a single send tries it again, and all do once it has taken something', () => {
  const { clock, turns, next } = setUp();
  turns.onFailed('a');
  clock.nowMs = 1_499;
  expect(next(2)).toEqual([2, 3]);
  clock.nowMs = 1_500;
  expect(next(5)).toEqual([0, 2, 3, 2, 3]);
  turns.onTaken('a', 'q');
  expect(next(4)).toEqual([0, 1, 2, 3]);
  expect(turns.leftAlone).toBe(0);
});

test('turns: with each failure the time grows, up to half a minute and a second', () => {
  const { clock, turns, next } = setUp();
  for (const restMs of [1_500, 2_000, 3_000, 5_000, 9_000, 16_000, 16_000]) {
    turns.onFailed('a');
    clock.nowMs += restMs - 1;
    expect(new Set(next(4))).toEqual(new Set([2, 3]));
    clock.nowMs += 1;
    expect(next(4).filter((index) => index === 0 || index === 1)).toHaveLength(1);
  }
});

test('turns: a silent server is left alone until it is known how that ended', () => {
  const { clock, turns, next } = setUp();
  turns.onSilent('a');
  clock.nowMs = 9_999;
  expect(next(3)).toEqual([2, 3, 2]);
  turns.onTaken('a', 'q');
  expect(next(3)).toEqual([3, 0, 1]);
});

test('turns: what a send has tried is not its next, and when it has tried all servers there is none', () => {
  const { turns } = setUp();
  expect(turns.next(new Set(['a']))).toBe(2);
  expect(turns.next(new Set(['b', 'q']))).toBe(1);
  expect(turns.next(new Set(['a', 'b']))).toBeNull();
});

test('turns: while all are left alone, a send tries the one whose time is over first, and no other', () => {
  const { clock, turns } = setUp();
  turns.onFailed('b');
  clock.nowMs = 100;
  turns.onFailed('a');
  expect(turns.next(nothing)).toBe(2);
  expect(turns.next(new Set(['b']))).toBeNull();
});

test('turns: a server that is nearly full gets what no other one takes, and all do again when all are', () => {
  const { full, turns, next } = setUp();
  full.add('a');
  expect(next(3)).toEqual([2, 3, 2]);
  expect(turns.leftAlone).toBe(2);
  expect(turns.next(new Set(['b']))).toBe(0);
  turns.onFailed('b');
  expect(next(3)).toEqual([1, 0, 1]);
  turns.onTaken('b');
  full.add('b');
  expect(next(4)).toEqual([2, 3, 0, 1]);
  expect(turns.leftAlone).toBe(0);
});

test('turns: there is room unless each server is nearly full or, beside one that is, left alone', () => {
  const { clock, full, turns } = setUp();
  turns.onFailed('a');
  turns.onFailed('b');
  expect(turns.hasRoom).toBe(true);
  full.add('a');
  expect(turns.hasRoom).toBe(false);
  clock.nowMs = 1_500;
  expect(turns.hasRoom).toBe(true);
  full.add('b');
  expect(turns.hasRoom).toBe(false);
});
