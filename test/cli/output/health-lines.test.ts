import { expect, test } from 'vitest';
import { statusLines } from '../../../cli/output/health-lines.ts';
import type { HealthStatus } from '../../../queries/health/health-status.ts';
import { runtimeStatuses } from '../../../shared/contracts/runtime-status.ts';

const at = new Date('2026-11-22T12:00:00Z');
const noGames = Object.fromEntries(runtimeStatuses.map((status) => [status, 0])) as HealthStatus['games'];

function line(name: string, changes: Partial<HealthStatus>): string | undefined {
  const status: HealthStatus = {
    mode: 'hardened',
    label: 'label',
    stream: 'events',
    lease: null,
    lag: { entries: 0, ms: 0 },
    games: noGames,
    stuck: { records: 0, gameIds: [] },
    outbox: { rows: 0, oldestAgeMs: null },
    gap: { entries: 0, noticedAt: null, afterId: null, beforeId: null },
    lobbyRival: null,
    deadLetters: 0,
    ...changes,
  };
  return statusLines(status).find((text) => text.startsWith(`${name} `));
}

const lease = {
  holder: 'host:7',
  token: 4,
  acquiredAt: at,
  expiresAt: at,
  isHeld: true,
  heldForMs: 12_400,
  expiredForMs: 0,
  epoch: 'e',
};

test.each<[name: string, says: string, changes: Partial<HealthStatus>]>([
  ['consumer', 'host:7 has held the lease for 12 s (token 4)', { lease }],
  [
    'consumer',
    'the lease has been free for 3 s; last holder host:7',
    { lease: { ...lease, isHeld: false, expiredForMs: 3_000 } },
  ],
  ['lag', '3 entries, 40 ms', { lag: { entries: 3, ms: 40 } }],
  ['lag', 'unknown number of entries, 40 ms', { lag: { entries: null, ms: 40 } }],
  ['lag', 'unknown: the offset is not an entry id', { lag: null }],
  ['games', '3 running, 1 stopped', { games: { ...noGames, stopped: 1, running: 3 } }],
  ['stuck', '2 engine_unreachable and healthy: a, b', { stuck: { records: 2, gameIds: ['a', 'b'] } }],
  ['outbox', '5 snapshots waiting, the oldest for 7 s', { outbox: { rows: 5, oldestAgeMs: 7_000 } }],
  [
    'lobby',
    'label old (host:9) publishes to the lobby, so this consumer does not',
    { lobbyRival: { state: 'publishes', label: 'old', holder: 'host:9', silentForMs: 5 } },
  ],
  [
    'lobby',
    'label new (host:9) also tries to publish to the lobby and is refused',
    { lobbyRival: { state: 'refused', label: 'new', holder: 'host:9', silentForMs: 5 } },
  ],
  ['lost', '2 entries', { gap: { entries: 2, noticedAt: null, afterId: null, beforeId: null } }],
  [
    'lost',
    '2 entries, the last between 1-0 and the end, noticed 2026-11-22T12:00:00.000Z',
    { gap: { entries: 2, noticedAt: at, afterId: '1-0', beforeId: null } },
  ],
  ['dead', 'letters  9 open', { deadLetters: 9 }],
])('health status: the line of %s says "%s"', (name, says, changes) => {
  expect(line(name, changes)?.replace(/^\w+ +/, '')).toBe(says);
});
