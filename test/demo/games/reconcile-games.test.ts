import { describe, expect, test } from 'vitest';
import type { GameState } from '../../../demo/games/game-events.ts';
import {
  type FoundState,
  type GamesFound,
  type GamesReported,
  reconcileGames,
} from '../../../demo/games/reconcile-games.ts';
import { nameGames } from '../../../demo/games/stream-fields.ts';

const names = nameGames('0badcafe');
const up: GameState = { status: 'running', health: 'healthy' };
const down: GameState = { status: 'engine_unreachable', health: 'exited' };
const [first, second] = [names.gameId(0), names.gameId(1)];

const reported: GamesReported = {
  games: 3,
  sent: 9,
  expected: new Map([
    [first, up],
    [second, down],
  ]),
  marks: new Set([names.mark(0), names.mark(1)]),
  isApplied: true,
};
const found: GamesFound = {
  records: new Map<string, FoundState>([
    [first, up],
    [second, down],
    // Nothing was seen of this one yet.
    [names.gameId(2), { status: 'running', health: '' }],
  ]),
  snapshots: new Map([
    [first, up],
    [second, down],
  ]),
  snapshotCount: 4,
  deadLetters: [`{"note":"${names.mark(0)}"}`, `{"game_id":"${names.mark(1)}"}`],
};
const reconcile = (found_: Partial<GamesFound>, reported_: Partial<GamesReported> = {}) =>
  reconcileGames({ ...reported, ...reported_ }, { ...found, ...found_ }, names);

describe('reconcile games', () => {
  test('reconcile games: all is as it was written', () => {
    expect(reconcile({})).toEqual({
      games: 3,
      sent: 9,
      events: 7,
      dead: 2,
      running: 2,
      unreachable: 1,
      snapshots: 4,
      isApplied: true,
      wrong: 0,
      unpublished: 0,
      unaccounted: 0,
      reconciled: true,
    });
  });

  test('reconcile games: what was not taken in does not add up, even where it would change nothing', () => {
    expect(reconcile({}, { isApplied: false })).toMatchObject({ wrong: 0, unpublished: 0, reconciled: false });
  });

  test.each([
    ['its status', { ...down, status: 'running' }],
    ['its health', { ...down, health: 'oom' }],
  ])('reconcile games: a record is wrong by %s, also where the lobby was told the same', (_what, other) => {
    const games = new Map<string, FoundState>([
      [first, up],
      [second, other],
    ]);
    expect(reconcile({ records: games, snapshots: games })).toMatchObject({
      wrong: 1,
      unpublished: 0,
      reconciled: false,
    });
  });

  test('reconcile games: a record that is gone is wrong', () => {
    expect(reconcile({ records: new Map([[first, up]]) })).toMatchObject({
      wrong: 1,
      unpublished: 1,
      reconciled: false,
    });
  });

  test('reconcile games: a game that the lobby was never told of, or told something older of, is counted', () => {
    expect(reconcile({ snapshots: new Map([[first, up]]) })).toMatchObject({ unpublished: 1, reconciled: false });
    const older = new Map([
      [first, up],
      [second, { ...down, health: 'healthy' }],
    ]);
    expect(reconcile({ snapshots: older })).toMatchObject({ wrong: 0, unpublished: 1, reconciled: false });
  });

  test('reconcile games: a bad entry without a dead letter, and an event with one, are counted', () => {
    expect(reconcile({ deadLetters: found.deadLetters.slice(1) })).toMatchObject({
      dead: 1,
      unaccounted: 1,
      reconciled: false,
    });
    const more = [...found.deadLetters, `{"game_id":"${second}"}`];
    expect(reconcile({ deadLetters: more })).toMatchObject({ dead: 2, unaccounted: 1, reconciled: false });
  });
});
