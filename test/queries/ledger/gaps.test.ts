import { expect, test } from 'vitest';
import { attribute } from '../../../queries/ledger/attribute.ts';
import { cutGap, type GapFacts } from '../../../queries/ledger/cut-gap.ts';
import { beginning, type Edge, type Gap, gapBetween, tailAfter } from '../../../queries/ledger/gaps.ts';

const edge = (seq: number, position: number, rest: Partial<Edge> = {}): Edge => ({
  ...{ seq, position, isWhole: true, minute: null },
  ...rest,
});

test('gaps: chunks that follow each other have none between them', () => {
  expect(gapBetween(edge(4, 800), edge(5, 800))).toBeNull();
  expect(gapBetween(beginning, edge(1, 0))).toBeNull();
});

test('gaps: between two chunks, the numbers of those that lack and their records are known', () => {
  expect(gapBetween(edge(4, 800, { minute: 7 }), edge(9, 1_500, { minute: 8 }))).toEqual({
    ...{ fromSeq: 5, untilSeq: 8, start: 800, end: 1_500, fromMinute: 7, untilMinute: 8 },
  });
  expect(gapBetween(beginning, edge(3, 350, { minute: 8 }))).toEqual({
    ...{ fromSeq: 1, untilSeq: 2, start: 0, end: 350, fromMinute: 8, untilMinute: 8 },
  });
});

test('gaps: of a chunk that arrived in part, the number is that of the chunk', () => {
  expect(gapBetween(edge(4, 700, { isWhole: false }), edge(5, 800))).toMatchObject({ fromSeq: 4, untilSeq: 4 });
  expect(gapBetween(edge(4, 800), edge(5, 850, { isWhole: false }))).toMatchObject({ fromSeq: 5, untilSeq: 5 });
});

test('gaps: what a report tells of beyond the last chunk is a tail', () => {
  const report = { lastSeq: 6, chunkedRecords: 1_200, minute: 9 };
  expect(tailAfter(edge(4, 800, { minute: 8 }), report)).toEqual({
    ...{ fromSeq: 5, untilSeq: 6, start: 800, end: 1_200, fromMinute: 8, untilMinute: 9 },
  });
  expect(tailAfter(edge(6, 1_200), report)).toBeNull();
  // The chunks have overtaken the report.
  expect(tailAfter(edge(8, 1_600), report)).toBeNull();
});

const gap: Gap = { fromSeq: 5, untilSeq: 9, start: 800, end: 1_800, fromMinute: 7, untilMinute: 8 };
const facts = (rest: Partial<GapFacts> = {}): GapFacts => ({
  queued: [],
  askedUntilSeq: Number.POSITIVE_INFINITY,
  lastSeq: 20,
  unacknowledged: [],
  hasMoreUnacknowledged: false,
  hasSpill: false,
  standing: 'alive',
  ...rest,
});
const statesOf = (rest: Partial<GapFacts>) =>
  cutGap(gap, facts(rest)).map(({ state, fromSeq, untilSeq, start, end }) => [state, fromSeq, untilSeq, end - start]);

test('a gap: what Redis had acknowledged, and has not any more, is missing', () => {
  expect(statesOf({})).toEqual([['missing', 5, 9, 1_000]]);
  expect(statesOf({ standing: 'silent' })).toEqual([['missing', 5, 9, 1_000]]);
});

test('a gap: what has a job in Redis is queued, all of it without reading a job', () => {
  const queued = [{ fromSeq: 5, untilSeq: 9, start: null, end: null, isFailed: false }];
  expect(statesOf({ queued })).toEqual([['queued', 5, 9, 1_000]]);
});

test('a gap: between jobs that are there, the rest is missing to the record', () => {
  const queued = [
    { fromSeq: 6, untilSeq: 7, start: 1_000, end: 1_350, isFailed: false },
    { fromSeq: 9, untilSeq: 9, start: 1_600, end: null, isFailed: true },
  ];
  expect(statesOf({ queued })).toEqual([
    ['missing', 5, 5, 200],
    ['queued', 6, 7, 350],
    ['missing', 8, 8, 250],
    ['failed', 9, 9, 200],
  ]);
});

test('a gap: a queued chunk without a header leaves the rest unchecked', () => {
  const queued = [{ fromSeq: 6, untilSeq: 7, start: null, end: null, isFailed: false }];
  expect(statesOf({ queued })).toEqual([['unchecked', 5, 9, 1_000]]);
});

test('a gap: without Redis, or beyond what it was asked for, it is unchecked', () => {
  expect(statesOf({ askedUntilSeq: null })).toEqual([['unchecked', 5, 9, 1_000]]);
  expect(statesOf({ askedUntilSeq: 7 })).toEqual([['unchecked', 5, 9, 1_000]]);
});

test.for([
  ['alive', false, 'unsent'],
  ['closed', true, 'onDisk'],
  ['closed', false, 'abandoned'],
  ['silent', false, 'uncertain'],
  ['silent', true, 'uncertain'],
] as const)('a gap: not acknowledged, of a producer that is %s, spill %s: %s', ([standing, hasSpill, state]) => {
  const rest = { standing, hasSpill };
  expect(statesOf({ ...rest, unacknowledged: [[9, 12]] })).toEqual([[state, 5, 9, 1_000]]);
  // Of later chunks no report has told yet.
  expect(statesOf({ ...rest, lastSeq: 8 })).toEqual([[state, 5, 9, 1_000]]);
  expect(statesOf({ ...rest, lastSeq: null })).toEqual([[state, 5, 9, 1_000]]);
  // The report had no room for more.
  expect(statesOf({ ...rest, unacknowledged: [[1, 3]], hasMoreUnacknowledged: true })).toEqual([[state, 5, 9, 1_000]]);
});

const window = { sinceMs: 0, untilMs: 60 * 60_000 };
const bucketOf = (minute: number): number => minute * 60_000;
const short = (realm: string, minute: number, records: number, refused = 0) => ({
  ...{ realm, bucketMs: bucketOf(minute), records, refused },
});

test('attribution: a gap is booked on the realms and minutes that lack as many, those of its own minutes first', () => {
  const pieces = cutGap(gap, facts());
  const { booked, attributed } = attribute(
    pieces,
    [short('early', 1, 500), short('a', 7, 600), short('b', 8, 400)],
    window,
    bucketOf,
  );
  expect(booked).toEqual([1_000]);
  expect(attributed).toEqual([
    { state: 'missing', realm: 'a', bucketMs: bucketOf(7), records: 600, isGuess: false },
    { state: 'missing', realm: 'b', bucketMs: bucketOf(8), records: 400, isGuess: false },
  ]);
});

test('attribution: what Redis has refused is not missing', () => {
  const { booked, attributed } = attribute(cutGap(gap, facts()), [short('a', 7, 1_000, 990)], window, bucketOf);
  expect(booked).toEqual([10]);
  expect(attributed.map(({ records }) => records)).toEqual([10]);
});

test('attribution: what no report tells of is booked next to its neighbours, without a realm', () => {
  const { attributed } = attribute(cutGap(gap, facts()), [short('a', 8, 300)], window, bucketOf);
  expect(attributed).toEqual([
    { state: 'missing', realm: 'a', bucketMs: bucketOf(8), records: 300, isGuess: false },
    { state: 'missing', realm: '', bucketMs: bucketOf(7), records: 700, isGuess: true },
  ]);
});

test('attribution: what a gap has beyond the window is not booked in it', () => {
  const narrow = { sinceMs: bucketOf(8), untilMs: bucketOf(9) };
  expect(attribute(cutGap(gap, facts()), [short('a', 8, 300)], narrow, bucketOf).booked).toEqual([300]);
});
