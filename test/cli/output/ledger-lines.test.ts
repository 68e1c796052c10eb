import { expect, test } from 'vitest';
import { toLedgerLines } from '../../../cli/output/ledger-lines.ts';
import { toText } from '../../../cli/output/line.ts';
import type { Accounts } from '../../../queries/ledger/accounts.ts';
import { noTerms } from '../../../queries/ledger/terms.ts';

const line = {
  ...noTerms(),
  recorded: 1_230,
  stored: 1_000,
  sampledOut: 100,
  dropped: 7,
  inFlight: 43,
  missing: 80,
  unexplained: 0,
};
const life = { queue: 'execution-log', producer: 'web-1', life: 'web-1.1700000000000.ab' } as const;
const at = new Date('2026-11-28T12:00:00Z');

const accounts: Accounts = {
  at,
  window: { since: new Date('2026-11-28T10:00:00Z'), until: at },
  verdict: { state: 'missing', text: '80 records are missing: Redis had them.' },
  total: line,
  uncertainUpTo: 12,
  droppedBy: [{ reason: 'bufferFull', records: 7 }],
  inFlightBy: { waiting: 3, unsent: 0, onDisk: 0, queued: 40, failed: 0, unchecked: 0 },
  producers: [{ ...line, ...life, kind: 'execution-observer', lives: 1, uncertainUpTo: 12, clockOffSeconds: 300 }],
  producersLeftOut: 3,
  realms: [],
  realmsLeftOut: 0,
  series: { bucketMs: 60_000, buckets: [] },
  gaps: [
    {
      ...life,
      state: 'missing',
      fromSeq: 7,
      untilSeq: 9,
      records: 80,
      since: new Date('2026-11-28T11:00:00Z'),
      until: at,
    },
    { ...life, state: 'queued', fromSeq: 12, untilSeq: 12, records: 40, since: null, until: null },
  ],
  gapsLeftOut: 0,
  silentLives: [{ ...life, lastHeardAt: new Date('2026-11-28T11:30:00Z'), uncertain: 5, upTo: 12 }],
  silentLivesLeftOut: 0,
  livesLeftOut: 0,
  clocks: [{ ...life, offSeconds: 300, lastHeardAt: at }],
};

const textOf = (some: Accounts, columns: number | null = null): string =>
  toLedgerLines(some, { columns })
    .map((one) => toText(one, { colours: false }))
    .join('\n');

test('ledger: one line says whether the books balance, then come producers, gaps with chunk numbers, and who is silent', () => {
  const text = textOf(accounts);
  expect(text.split('\n').slice(0, 4)).toEqual([
    '80 records are missing: Redis had them.',
    'window    2026-11-28T10:00:00.000Z to 2026-11-28T12:00:00.000Z',
    'dropped   bufferFull 7',
    'in flight 3 waiting with producers, 40 in Redis or at a worker',
  ]);
  expect(text).toMatch(/^web-1 +execution-log +1,230 +1,000 +80 +0 +43 +0 +7/m);
  expect(text).toContain('and 3 more producers');
  expect(text).toMatch(/^missing +80 +7–9 +web-1\.1700000000000\.ab +2026-11-28T11:00:00\.000Z/m);
  expect(text).toMatch(/^in Redis +40 +12 +web-1\.1700000000000\.ab +–/m);
  expect(text).toMatch(/^web-1\.1700000000000\.ab +30 min ago +0 to 12/m);
  expect(text).toMatch(/^web-1\.1700000000000\.ab +5 min ahead/m);
});

test('ledger: lives that were not looked at are told, with what to do', () => {
  expect(textOf(accounts)).not.toContain('left out');
  expect(textOf({ ...accounts, livesLeftOut: 1_200 })).toMatch(
    /^left out {2}1,200 more lives .* unexplained\. Ask for/m,
  );
});

test('ledger: on a narrow terminal no line is wider than it', () => {
  const tables = textOf(accounts, 60).split('\n').slice(4);
  expect(Math.max(...tables.map((one) => one.length))).toBeLessThanOrEqual(78);
});

test('ledger: books with nothing in them are one line and their window', () => {
  const empty = {
    ...accounts,
    verdict: { state: 'empty', text: 'Nothing was recorded.' } as const,
    total: { ...noTerms(), unexplained: 0 },
  };
  const none = { producers: [], producersLeftOut: 0, gaps: [], silentLives: [], clocks: [] };
  expect(textOf({ ...empty, ...none }).split('\n')).toHaveLength(2);
});
