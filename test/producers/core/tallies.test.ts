import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Tallies, type TallyLimits } from '../../../producers/core/tallies.ts';
import { unnamedRealm } from '../../../shared/contracts/ledger-header.ts';

/** Tallies by a clock that a test sets, in minutes. */
function someTallies(limits: Partial<TallyLimits> = {}) {
  const clock = { minute: 1_000 };
  let begun = 0;
  const tallies: Tallies = new Tallies({
    now: () => clock.minute * 60_000 + 7,
    onBegin: () => {
      begun += 1;
    },
    limits,
  });
  return {
    tallies,
    clock,
    begun: () => begun,
    go(minutes: number) {
      clock.minute += minutes;
      tallies.turn();
    },
    rows: () => [...tallies.all()].map(({ minute, realm, sampledOut }) => [minute, realm, sampledOut]),
    /** What a report tells that Redis takes. */
    report() {
      const told = [...tallies.all()].filter(({ progress, reported }) => progress > reported);
      for (const tally of told) tally.reported = tally.progress;
      const rows = told.map((tally) => [tally.minute, tally.realm, tally.counters()] as const);
      tallies.letGo();
      return rows;
    },
  };
}

test('tallies: records count in the minute that is held and by their realm, and no clock is read for that', () => {
  const { tallies, clock, go, rows, begun } = someTallies();
  tallies.of('a').sampledOut += 1;
  clock.minute = 5_000_000;
  tallies.of('a').sampledOut += 1;
  tallies.of('b').sampledOut += 1;
  clock.minute = 1_000;
  go(1);
  for (const none of [null, undefined]) tallies.of(none).sampledOut += 1;
  expect(rows()).toEqual([
    [1_000, 'a', 2],
    [1_000, 'b', 1],
    [1_001, null, 2],
  ]);
  expect(begun()).toBe(1);
});

test('tallies: the first record after a rest begins a minute and says so', () => {
  const { tallies, clock, rows, begun } = someTallies();
  tallies.of('a').sampledOut += 1;
  tallies.rest();
  clock.minute += 10;
  tallies.turn();
  expect(begun()).toBe(1);
  tallies.of('a').sampledOut += 1;
  expect(begun()).toBe(2);
  expect(rows()).toEqual([
    [1_000, 'a', 1],
    [1_010, 'a', 1],
  ]);
});

test('tallies: whatever a caller gives as a realm counts under the text that its row has', () => {
  const { tallies } = someTallies();
  const rude = {
    toString() {
      throw new Error('rude');
    },
  };
  for (const realm of [7, '7', 7n, rude, Object.create(null), Symbol('s'), 'x'.repeat(600), 'a\0b', '\ud800', '', []])
    tallies.of(realm).disabled += 1;
  expect(tallies.of('7').disabled).toBe(3);
  for (const { realm } of tallies.all()) {
    expect(realm?.length ?? 0).toBeLessThanOrEqual(512);
    expect(realm?.isWellFormed() && !realm.includes('\0')).toBe(true);
  }
});

test('tallies: more realms than are told apart count together, and so do those of later minutes when much is kept', () => {
  const { tallies, go } = someTallies({ realms: 3, tallies: 5 });
  for (let realm = 0; realm < 10; realm += 1) tallies.of(`r${realm}`).sampledOut += 1;
  expect([...tallies.all()].map(({ realm }) => realm)).toEqual(['r0', 'r1', 'r2', unnamedRealm]);
  expect(tallies.of(unnamedRealm).sampledOut).toBe(7);
  for (let minute = 0; minute < 3; minute += 1) {
    go(1);
    for (const realm of ['a', 'b']) tallies.of(realm).sampledOut += 1;
  }
  expect([...tallies.all()].slice(4).map(({ realm }) => realm)).toEqual([
    'a',
    unnamedRealm,
    unnamedRealm,
    unnamedRealm,
  ]);
  expect(tallies.total().counters()).toEqual({ recorded: 16, sampledOut: 16 });
});

test('tallies: when as many minutes are kept as may be, the last one goes on until some were let go', () => {
  const { tallies, go, rows, report } = someTallies({ minutes: 3 });
  for (let minute = 0; minute < 6; minute += 1) {
    tallies.of('a').sampledOut += 1;
    go(1);
  }
  expect(rows()).toEqual([
    [1_000, 'a', 1],
    [1_001, 'a', 1],
    [1_002, 'a', 4],
  ]);
  report();
  go(1);
  tallies.of('a').sampledOut += 1;
  expect(report()).toEqual([[1_007, 'a', { recorded: 1, sampledOut: 1 }]]);
});

test('tallies: a minute is let go when all of it was told and nothing more can become of its records', () => {
  const { tallies, go, report } = someTallies();
  const tally = tallies.of('a');
  tally.waiting += 2;
  expect(report()).toEqual([[1_000, 'a', { recorded: 2 }]]);
  go(5);
  tally.chunk();
  tally.chunk();
  expect(report()).toEqual([[1_000, 'a', { recorded: 2, chunked: 2 }]]);
  tally.sent += 1;
  tally.refused += 1;
  expect(report()).toEqual([[1_000, 'a', { recorded: 2, chunked: 2, sent: 1, refused: 1 }]]);
  expect([...tallies.all()]).toEqual([]);
  expect(tallies.total().counters()).toEqual({ recorded: 2, chunked: 2, sent: 1, refused: 1 });
});

test('tallies: however the clock is set, a reader that keeps the greatest of each minute has all records', () => {
  const steps = fc.array(
    fc.oneof(
      fc.record({ do: fc.constant('record' as const), realm: fc.constantFrom('a', 'b', null) }),
      fc.record({ do: fc.constant('go' as const), minutes: fc.constantFrom(1, 1, 1, 2, -1, -3, 60, -60, 1_000_000) }),
      fc.record({ do: fc.constantFrom('report' as const, 'rest' as const) }),
    ),
    { maxLength: 120, size: 'max' },
  );
  fc.assert(
    fc.property(steps, (sequence) => {
      const { tallies, go, report } = someTallies();
      const read = new Map<string, number>();
      const tell = () => {
        for (const [minute, realm, { recorded = 0 }] of report()) {
          const key = JSON.stringify([minute, realm]);
          read.set(key, Math.max(read.get(key) ?? 0, recorded));
        }
      };
      let recorded = 0;
      for (const step of sequence) {
        if (step.do === 'record') {
          tallies.of(step.realm).sampledOut += 1;
          recorded += 1;
        } else if (step.do === 'go') go(step.minutes);
        else if (step.do === 'report') tell();
        else tallies.rest();
      }
      tell();
      expect([...read.values()].reduce((sum, records) => sum + records, 0)).toBe(recorded);
      expect(tallies.total().counters().recorded ?? 0).toBe(recorded);
    }),
  );
});

test.each([Number.NaN, -5, Number.POSITIVE_INFINITY, 1e300])('tallies: a clock that says %s does no harm', (ms) => {
  const tallies = new Tallies({ now: () => ms, onBegin: () => undefined });
  tallies.of('a').sampledOut += 1;
  const [tally] = tallies.all();
  expect(tally?.minute).toBeGreaterThanOrEqual(0);
  expect(Number.isSafeInteger(tally?.minute)).toBe(true);
});
