import { describe, expect, test } from 'vitest';
import { type BadEntry, type Fault, faults, type GameEvent } from '../../../demo/games/game-events.ts';
import { nameGames, toStreamFields } from '../../../demo/games/stream-fields.ts';
import { fieldOf, readHealthEvent } from '../../../shared/contracts/health-event.ts';

const startedAtMs = 1_775_121_800_000;
const names = nameGames('0badcafe');
const event: GameEvent = {
  kind: 'event',
  atMs: 900,
  seenAtMs: 250.4,
  game: 6,
  type: 'container_exited',
  containerId: '7c2b5d1a4f6e',
  details: { exit_code: 137, oom: false },
  leaves: { status: 'engine_unreachable', health: 'exited' },
};
const bad = (fault: Fault): BadEntry => ({ kind: 'bad', atMs: 10, fault, index: 2 });
const badFields = (fault: Fault) => toStreamFields(bad(fault), names, startedAtMs);

describe('stream fields', () => {
  test('stream fields: an event has the five fields of the contract, and the time when it was seen', () => {
    expect(toStreamFields(event, names, startedAtMs)).toEqual([
      ...['game_id', 'game-0badcafe-0007', 'container_id', '7c2b5d1a4f6e', 'event_type', 'container_exited'],
      ...['occurred_at_ms', '1775121800250', 'details', '{"exit_code":137,"oom":false}'],
    ]);
  });

  test('stream fields: a bad entry is no event of a registered game, and nothing else is wrong with it', () => {
    expect(readHealthEvent(badFields('no game'))).toMatchObject({
      problem: 'malformed',
      reason: expect.stringContaining('game_id'),
    });
    expect(readHealthEvent(badFields('no time'))).toMatchObject({
      problem: 'malformed',
      reason: expect.stringContaining('occurred_at_ms'),
    });
    expect(readHealthEvent(badFields('unknown type'))).toMatchObject({ problem: 'unknown_type' });
    expect(readHealthEvent(badFields('unknown game'))).toMatchObject({ gameId: 'game-0badcafe-bad-3' });
  });

  test('stream fields: whatever an entry lacks, its run and its mark are in it', () => {
    for (const fault of faults) {
      const text = JSON.stringify(badFields(fault));
      expect(text).toContain(names.prefix);
      expect(names.markIn(text)).toBe(names.mark(2));
    }
    const gameId = fieldOf(toStreamFields(event, names, startedAtMs), 'game_id');
    expect(gameId?.startsWith(names.prefix)).toBe(true);
    expect(names.markIn(gameId ?? '')).toBeNull();
  });
});
