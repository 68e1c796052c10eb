import { expect, test } from 'vitest';
import { checkHealth } from '../../../doctor/health/check-health.ts';
import type { HealthFacts } from '../../../doctor/health/health-facts.ts';
import type { Lease, StoredOffset } from '../../../queries/health/health.ts';
import { type Position, positionOf } from '../../../queries/health/health-stream.ts';
import type { StreamFacts } from '../../../shared/platform/redis/stream-facts.ts';
import { findingOf } from '../../support/finding-of.ts';

const nowMs = Date.UTC(2026, 10, 22, 12);
const day = 86_400_000;
const hardened = { mode: 'hardened', stream: 'events', lobbyStream: 'lobby' } as const;
const mirror = { ...hardened, mode: 'mirror' } as const;

const stored = (changes: Partial<StoredOffset> = {}): StoredOffset => ({
  lastId: '20-0',
  entriesRead: 10,
  fencingToken: 3,
  gapEntries: 0,
  gapAt: null,
  gapAfterId: null,
  gapBeforeId: null,
  updatedAt: new Date(nowMs),
  ...changes,
});
const held = (changes: Partial<Lease> = {}): Lease => ({
  holder: 'host-1',
  token: 3,
  acquiredAt: new Date(nowMs - 12_000),
  expiresAt: new Date(nowMs + 9_000),
  isHeld: true,
  heldForMs: 12_000,
  expiredForMs: 0,
  epoch: 'e',
  ...changes,
});
/** Ten entries were added, five are there, and the last is 20-0. */
const facts = (changes: Partial<StreamFacts> = {}): StreamFacts => ({
  length: 5,
  entriesAdded: 10,
  lastId: '20-0',
  firstId: '16-0',
  ...changes,
});

interface Case {
  offset?: StoredOffset | null;
  lease?: Lease | null;
  stream?: StreamFacts | null;
  original?: string | null;
  unread?: HealthFacts['unread'];
  outbox?: HealthFacts['outbox'];
  lobbyRival?: HealthFacts['lobbyRival'];
  stuck?: HealthFacts['stuck'];
  config?: typeof hardened | typeof mirror;
}

function judge(given: Case) {
  const seen = {
    offset: stored(),
    lease: held(),
    stream: facts(),
    original: null,
    unread: { oldestId: null, oldestAgeMs: 0 },
    outbox: { rows: 0, oldestAgeMs: null },
    lobbyRival: null,
    stuck: { records: 0, gameIds: [] },
    config: hardened,
    ...given,
  };
  const position: Position = positionOf(seen.config.mode, seen.offset, seen.original);
  const { offset, lease, unread, outbox, lobbyRival, stuck } = seen;
  const stream = { facts: seen.stream, originalOffset: seen.original };
  return checkHealth(
    { known: true, value: { offset, lease, position, stream, unread, outbox, lobbyRival, stuck } },
    { config: seen.config, nowMs },
  );
}

test('health events: a consumer that has read everything has nothing but ok', () => {
  expect(judge({}).map(({ check, level }) => [check, level])).toEqual(
    ['consumer', 'offset', 'lag', 'gap', 'outbox', 'stuck'].map((check) => [check, 'ok']),
  );
});

test.each([hardened, mirror])(
  'health events: without a stream and an offset they are not used, in mode $mode',
  (config) => {
    const findings = judge({ config, offset: null, lease: null, stream: null, unread: null });
    expect(findings.map(({ level, message }) => [level, message])).toEqual([['ok', 'not used']]);
  },
);

test('health events: the original in Redis is all that a mirror looks at', () => {
  const findings = judge({ config: mirror, offset: null, lease: null, original: '20-0' });
  expect(findings.map(({ level }) => level)).toEqual(Array(6).fill('ok'));
  expect(findingOf(findings, 'offset').text).toContain('20-0, in Redis');
});

const waiting = (ageMs: number) => ({ oldestId: '18-0', oldestAgeMs: ageMs });
const unpublished = (ageMs: number) => ({ rows: 3, oldestAgeMs: ageMs });
const nobody = held({ isHeld: false, expiredForMs: 5_000 });
const gap = (daysAgo: number) =>
  stored({ gapEntries: 7, gapAt: new Date(nowMs - daysAgo * day), gapAfterId: '3-0', gapBeforeId: '11-0' });

const cases: [check: string, level: string, says: string, given: Case][] = [
  ['consumer', 'ok', 'host-1 has held the lease for 12 s', { unread: waiting(5) }],
  ['consumer', 'ok', 'nothing is unread', { lease: nobody }],
  [
    'consumer',
    'warning',
    'the last holder was host-1, and entries are unread -> start one',
    { lease: nobody, unread: waiting(5) },
  ],
  ['consumer', 'warning', 'nobody has ever held the lease, and entries', { lease: null, unread: waiting(5) }],
  ['consumer', 'warning', 'entries are unread', { config: mirror, lease: nobody, original: '1-0', unread: waiting(5) }],
  ['offset', 'ok', 'none yet', { offset: null }],
  ['offset', 'ok', '12-0, in Redis', { offset: null, original: '12-0' }],
  ['offset', 'failure', '"$" in Redis is not an entry id', { offset: null, original: '$', unread: null }],
  ['offset', 'ok', '20-0', { original: 'abc' }],
  ['offset', 'failure', '"abc" in Redis', { config: mirror, original: 'abc', unread: null }],
  [
    'offset',
    'ok',
    'does not exist yet',
    { stream: null, offset: stored({ lastId: '0-0', entriesRead: 0 }), unread: null },
  ],
  ['offset', 'warning', 'does not exist: events', { stream: null, unread: null }],
  ['offset', 'warning', '20-1 is after the last entry', { offset: stored({ lastId: '20-1' }) }],
  ['offset', 'failure', 'not be read -> run sluice health', { config: mirror, original: '20-1' }],
  ['offset', 'failure', 'not be read -> run sluice health', { offset: null, original: '20-1' }],
  ['offset', 'warning', '11 entries were read, but only 10 were ever added', { offset: stored({ entriesRead: 11 }) }],
  ['offset', 'ok', '20-0', { stream: facts({ entriesAdded: null }), offset: stored({ entriesRead: null }) }],
  ['lag', 'ok', 'everything is read', {}],
  ['lag', 'ok', 'waited for 60 s', { unread: waiting(60_000) }],
  ['lag', 'warning', '18-0, has waited for 61 s', { unread: waiting(61_000) }],
  ['lag', 'warning', '900 s', { unread: waiting(900_000) }],
  ['lag', 'failure', '901 s', { unread: waiting(901_000) }],
  ['gap', 'ok', 'no entry was lost', {}],
  [
    'gap',
    'warning',
    '7 entries were removed before they were read, the last ones after 3-0 and before 11-0',
    { offset: gap(6) },
  ],
  ['gap', 'warning', '2026-11-16T12:00:00.000Z -> trim the stream later, by MINID', { offset: gap(6) }],
  ['gap', 'ok', '7 entries', { offset: gap(8) }],
  ['gap', 'ok', 'no entry', { offset: stored({ lastId: '15-0', entriesRead: 5 }) }],
  ['gap', 'warning', '1 entries after 14-0', { offset: stored({ lastId: '14-0', entriesRead: 4 }) }],
  ['outbox', 'ok', 'wait to be published, the oldest for 60 s', { outbox: unpublished(60_000) }],
  ['outbox', 'warning', '3 snapshots wait', { outbox: unpublished(61_000) }],
  ['outbox', 'failure', 'lobby', { outbox: unpublished(901_000) }],
  [
    'stuck',
    'warning',
    '2 games are engine_unreachable and healthy: a, b ->',
    { stuck: { records: 2, gameIds: ['a', 'b'] } },
  ],
  ['stuck', 'warning', 'a and others', { stuck: { records: 2, gameIds: ['a'] } }],
  ['original', 'warning', '20-1, is ahead of ours, 20-0', { original: '20-1' }],
];

test.for(cases)('health events: %s is a(n) %s that says "%s"', ([check, level, says, given]) => {
  const finding = findingOf(judge(given), check);
  expect(finding.level).toBe(level);
  expect(finding.text).toContain(says);
});

test.each<[string, Case]>([
  ['none', {}],
  ['one that is behind', { original: '20-0' }],
  ['one that is no entry id', { original: '$' }],
  ['one that is our own, in mirror mode', { config: mirror, original: '19-0' }],
  ['one that will be adopted', { offset: null, original: '19-0' }],
])("health events: of the original's offset nothing is said when it is %s", (_name, given) => {
  expect(judge(given).filter(({ check }) => check === 'original')).toEqual([]);
});

test('health events: what could not be looked at is one warning, and tables that are not there are told elsewhere', () => {
  const context = { config: hardened, nowMs };
  const unanswered = checkHealth({ known: false, code: '57014', why: 'canceling statement' }, context);
  expect(unanswered.map(({ level }) => level)).toEqual(['warning']);
  expect(findingOf(unanswered, 'consumer').text).toContain('canceling statement');
  expect(checkHealth({ known: true, value: null }, context)).toEqual([]);
});

test.each([
  ['publishes', 'publishes to lobby, so this one does not'],
  ['refused', 'also tries to publish to lobby, and is refused'],
] as const)('health events: another consumer at the lobby’s stream, which %s, is a warning', (state, says) => {
  const lobbyRival = { state, label: 'old', holder: 'host-2', silentForMs: 5 };
  const found = judge({ lobbyRival }).find(({ check }) => check === 'lobby');
  expect(found).toMatchObject({ level: 'warning', message: `the consumer with label old (host-2) ${says}` });
});
