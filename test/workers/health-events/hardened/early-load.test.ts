import { expect, test } from 'vitest';
import { createEarlyLoad } from '../../../../workers/health-events/hardened/early-load.ts';
import type { StoredGame } from '../../../../workers/health-events/hardened/plan-events.ts';

/** A load that finds every game. */
const find = async (gameIds: readonly string[]) =>
  new Map<string, StoredGame>(
    gameIds.map((id) => [id, { version: '1', record: { status: 'running', health: '', turn: 1 }, watermark: null }]),
  );

test('what began early is handed out once, to whoever wants exactly that game', async () => {
  const early = createEarlyLoad(find);
  early.begin('game-1');
  expect([...((await early.take(['game-1'])) ?? new Map()).keys()]).toEqual(['game-1']);
  expect(await early.take(['game-1'])).toBe(null);
});

test.each([[['game-2']], [['game-1', 'game-2']], [[]]])(
  'whoever wants %j has to load it, and so has the next one',
  async (gameIds) => {
    const early = createEarlyLoad(find);
    early.begin('game-1');
    expect(await early.take(gameIds)).toBe(null);
    expect(await early.take(['game-1'])).toBe(null);
  },
);

test('whoever takes what has failed hears of it, and the next one has to load it', async () => {
  const failing = createEarlyLoad(async () => {
    throw new Error('the database is away');
  });
  failing.begin('game-1');
  await expect(failing.take(['game-1'])).rejects.toThrow('the database is away');
  expect(failing.take(['game-1'])).toBe(null);
});

test('what was forgotten is not handed out', async () => {
  const early = createEarlyLoad(find);
  early.begin('game-1');
  early.forget();
  expect(await early.take(['game-1'])).toBe(null);
});
