import { describe, expect, test } from 'vitest';
import type { Accounted } from '../../demo/add-up.ts';
import type { Accounts } from '../../demo/executions/reconcile-executions.ts';
import type { GameAccounts } from '../../demo/games/reconcile-games.ts';
import type { RequestAccounts } from '../../demo/requests/reconcile-requests.ts';
import { toLines } from '../../demo/result-lines.ts';

const executions: Accounted<Accounts> = {
  sent: 10,
  stored: 6,
  sampledOut: 4,
  dropped: 0,
  dead: 0,
  inFlight: 0,
  refused: 0,
  failures: 1,
  storedFailures: 1,
  unaccounted: 0,
  reconciled: true,
  senders: [],
};
const requests: Accounted<RequestAccounts> = {
  sent: 5,
  stored: 4,
  inserted: 3,
  updated: 1,
  duplicates: 1,
  dropped: 0,
  dead: 0,
  inFlight: 0,
  refused: 0,
  wrong: 0,
  unaccounted: 0,
  reconciled: true,
  senders: [],
};

const games: GameAccounts = {
  games: 4,
  sent: 20,
  events: 18,
  dead: 2,
  running: 3,
  unreachable: 1,
  snapshots: 12,
  isApplied: true,
  wrong: 0,
  unpublished: 0,
  unaccounted: 0,
  reconciled: true,
};

describe('result lines', () => {
  test('result lines: a line for each kind of traffic, and the verdict', () => {
    expect(toLines({ ...executions, requests, games, seconds: 1.5 })).toEqual([
      'executions: sent 10 = stored 6 + sampled out 4 + dropped 0 + dead 0 + in flight 0',
      'requests: sent 5 = stored 4 (inserted 3 + updated 1) + duplicates 1 + dropped 0 + dead 0 + in flight 0',
      'games: sent 20 = health events 18 + dead 2; 4 games: running 3, unreachable 1; 12 snapshots published to the lobby',
      'the accounts add up, after 1.5 s',
    ]);
    expect(toLines({ ...executions, requests: null, games: null, seconds: 1.5 })).toHaveLength(2);
  });

  test('result lines: what does not add up is named', () => {
    const lost = { ...requests, stored: 2, unaccounted: 2, wrong: 1, reconciled: false };
    expect(toLines({ ...executions, reconciled: false, requests: lost, games, seconds: 1 }).at(-1)).toBe(
      'the accounts do NOT add up: 2 request records unaccounted for, 1 requests stored incorrectly',
    );
    expect(toLines({ ...executions, unaccounted: -1, reconciled: false, requests, games, seconds: 1 }).at(-1)).toBe(
      'the accounts do NOT add up: -1 executions unaccounted for',
    );
    const wrong = { ...games, isApplied: false, wrong: 1, unpublished: 2, unaccounted: 3, reconciled: false };
    expect(toLines({ ...executions, reconciled: false, requests, games: wrong, seconds: 1 }).at(-1)).toBe(
      'the accounts do NOT add up: the health-event stream was not read to its end, 1 games do not match their events, the state of 2 games was not published to the lobby, 3 dead letters of health events missing or too many',
    );
  });
});
