import type { QueueName } from '../../shared/contracts/queues.ts';
import { windowOfBucket } from '../executions/buckets.ts';
import type { ExecutionWindow } from '../executions/window.ts';
import type {
  AccountLine,
  Accounts,
  GapEntry,
  InFlightPlace,
  ProducerLine,
  RealmLine,
  SilentLife,
} from './accounts.ts';
import { inFlightPlaces } from './accounts.ts';
import { type PieceState, pieceStates } from './cut-gap.ts';
import type { LifeAccount } from './life-account.ts';
import { type LifeKey, lifeOf } from './life-key.ts';
import { mostClocks, type WrongClock, wrongAboveSeconds } from './read-clocks.ts';
import type { GroupedSums, SettledSums, Sums } from './read-sums.ts';
import type { Scope } from './scope.ts';
import { addTerms, noTerms, type RecordPlace, sumOverProducers, type Terms, unexplained } from './terms.ts';
import { toVerdict } from './verdict.ts';

/** Lines that an answer has at most. */
const mostLines = { producers: 200, realms: 200, gaps: 200, silentLives: 100 };

/** Whose records are booked, when, and where. */
interface Booking {
  key: LifeKey;
  realm: string;
  bucketMs: number;
  records: number;
  place: RecordPlace;
  /** null: it is not in flight */
  inFlightPlace: InFlightPlace | null;
  /** no report tells of them, so they are recorded by this alone */
  isGuess: boolean;
  /** in no chunk */
  isHeld: boolean;
}

/** The books of a window from what was counted and what was found out about the rest. */
export function toAccounts(
  scope: Scope,
  {
    sums,
    accounts,
    livesLeftOut,
    clocks,
    nowMs,
  }: {
    sums: Sums;
    accounts: readonly LifeAccount[];
    livesLeftOut: number;
    clocks: readonly WrongClock[];
    nowMs: number;
  },
): Accounts {
  const { realm } = scope.filter;
  const bookings = accounts
    .flatMap(toBookings)
    .filter((booking) => realm === undefined || booking.realm === (realm ?? ''));
  const producers = toProducerLines(sums, accounts, bookings);
  const total = withCheck(sumOverProducers(producers));
  const inFlightBy = Object.fromEntries(
    inFlightPlaces.map((place) => [place, sumOf(bookings.filter(({ inFlightPlace }) => inFlightPlace === place))]),
  ) as Record<InFlightPlace, number>;
  const uncertainUpTo = producers.reduce((sum, line) => sum + line.uncertainUpTo, 0);
  const realms = toRealmLines(sums, bookings);
  const gaps = toGapEntries(accounts);
  const silentLives = toSilentLives(accounts);
  return {
    at: new Date(nowMs),
    window: scope.window,
    verdict: toVerdict({ total, unexplained: total.unexplained, unchecked: inFlightBy.unchecked, uncertainUpTo }),
    ...{ total, uncertainUpTo },
    droppedBy: toReasons(sums, bookings),
    inFlightBy,
    ...{ producers: producers.slice(0, mostLines.producers), producersLeftOut: beyond(producers, mostLines.producers) },
    ...{ realms: realms.slice(0, mostLines.realms), realmsLeftOut: beyond(realms, mostLines.realms) },
    series: toSeries(scope, sums, bookings),
    ...{ gaps: gaps.slice(0, mostLines.gaps), gapsLeftOut: beyond(gaps, mostLines.gaps) },
    ...{
      silentLives: silentLives.slice(0, mostLines.silentLives),
      silentLivesLeftOut: beyond(silentLives, mostLines.silentLives),
    },
    livesLeftOut,
    clocks: clocks.slice(0, mostClocks).map(({ queue, producer, offSeconds, lastHeardAt, ...key }) => ({
      ...{ queue, producer, life: lifeOf({ queue, producer, ...key }), offSeconds, lastHeardAt },
    })),
  };
}

function beyond(lines: readonly unknown[], most: number): number {
  return Math.max(0, lines.length - most);
}

function sumOf(counted: readonly { records: number }[]): number {
  return counted.reduce((sum, { records }) => sum + records, 0);
}

/** Where a piece is booked. */
const placesOf: Record<PieceState, Pick<Booking, 'place' | 'inFlightPlace'>> = {
  missing: { place: 'missing', inFlightPlace: null },
  uncertain: { place: 'uncertain', inFlightPlace: null },
  abandoned: { place: 'dropped', inFlightPlace: null },
  unchecked: { place: 'inFlight', inFlightPlace: 'unchecked' },
  onDisk: { place: 'inFlight', inFlightPlace: 'onDisk' },
  failed: { place: 'inFlight', inFlightPlace: 'failed' },
  unsent: { place: 'inFlight', inFlightPlace: 'unsent' },
  queued: { place: 'inFlight', inFlightPlace: 'queued' },
};

function toBookings({ life: key, standing, attributed, held }: LifeAccount): Booking[] {
  const waiting =
    standing === 'silent'
      ? ({ place: 'uncertain', inFlightPlace: null } as const)
      : ({ place: 'inFlight', inFlightPlace: 'waiting' } as const);
  return [
    ...attributed.map(({ state, ...booked }) => ({ key, ...booked, ...placesOf[state], isHeld: false })),
    ...held.map((booked) => ({ key, ...booked, ...waiting, isGuess: false, isHeld: true })),
  ];
}

function toTerms(bookings: readonly Booking[]): Terms {
  const terms = noTerms();
  for (const { place, records, isGuess } of bookings) {
    terms[place] += records;
    if (isGuess) terms.recorded += records;
  }
  return terms;
}

function ofGroup<G extends GroupedSums['group']>(sums: Sums, group: G): Extract<GroupedSums, { group: G }>[] {
  return sums.groups.filter((sum): sum is Extract<GroupedSums, { group: G }> => sum.group === group);
}

/**
 * The settled records of a group, with what is booked on it. If nobody has counted its stored records, they are what producers have put into
 * chunks, less what is known to be elsewhere.
 */
function toLine(sums: readonly SettledSums[], bookings: readonly Booking[]): Terms {
  const line = toTerms(bookings);
  let isCounted = true;
  for (const { chunked, stored, ...settled } of sums) {
    addTerms(line, settled);
    isCounted = stored !== null;
    line.stored += stored ?? chunked - settled.refused - settled.duplicate - settled.dead;
  }
  return isCounted ? line : { ...line, stored: line.stored - inChunks(bookings) };
}

/** The records in chunks that are booked in another place than a row. */
function inChunks(bookings: readonly Booking[]): number {
  return sumOf(bookings.filter(({ isGuess, isHeld }) => !isGuess && !isHeld));
}

function withCheck(terms: Terms): AccountLine {
  return { ...terms, unexplained: unexplained(terms) };
}

function toProducerLines(sums: Sums, accounts: readonly LifeAccount[], bookings: readonly Booking[]): ProducerLine[] {
  const nameOf = ({ queue, producer }: { queue: QueueName; producer: string }): string => `${queue} ${producer}`;
  const settled = Map.groupBy(ofGroup(sums, 'producer'), nameOf);
  const booked = Map.groupBy(bookings, ({ key }) => nameOf(key));
  const lives = Map.groupBy(accounts, ({ life }) => nameOf(life));
  const names = [...new Set([...settled.keys(), ...lives.keys()])];
  return names
    .map((name): ProducerLine => {
      const ofName = lives.get(name) ?? [];
      const [queue = '', producer = ''] = name.split(' ');
      return {
        ...withCheck(toLine(settled.get(name) ?? [], booked.get(name) ?? [])),
        ...{ queue: queue as QueueName, producer },
        kind: ofName.find(({ life }) => life.report !== null)?.life.report?.kind ?? null,
        lives: ofName.length,
        uncertainUpTo: ofName.reduce((sum, { mayBeLost }) => sum + mayBeLost, 0),
        clockOffSeconds: worstClock(ofName),
      };
    })
    .toSorted(worstFirst);
}

/** The clock that is furthest off, if that is more than what counts as agreeing. */
function worstClock(accounts: readonly LifeAccount[]): number | null {
  const off = accounts.flatMap(({ life: { report } }) =>
    report === null ? [] : [Math.round(-report.leastLagMs / 1_000)],
  );
  const worst = off.toSorted((a, b) => Math.abs(b) - Math.abs(a))[0] ?? 0;
  return Math.abs(worst) > wrongAboveSeconds ? worst : null;
}

function worstFirst(a: AccountLine & { uncertainUpTo?: number }, b: AccountLine & { uncertainUpTo?: number }): number {
  const lossOf = ({ missing, unexplained: off, uncertainUpTo = 0 }: typeof a): number =>
    missing + Math.abs(off) + uncertainUpTo;
  return lossOf(b) - lossOf(a) || b.recorded - a.recorded;
}

function toRealmLines(sums: Sums, bookings: readonly Booking[]): RealmLine[] {
  const settled = Map.groupBy(ofGroup(sums, 'realm'), ({ queue, realm }) => JSON.stringify([queue, realm]));
  const booked = Map.groupBy(bookings, ({ key, realm }) => JSON.stringify([key.queue, realm]));
  return [...new Set([...settled.keys(), ...booked.keys()])]
    .map((name): RealmLine => {
      const [queue, realm] = JSON.parse(name) as [QueueName, string];
      const line = sumOverProducers([toLine(settled.get(name) ?? [], booked.get(name) ?? [])]);
      return { ...withCheck(line), queue, realm: realm === '' ? null : realm };
    })
    .toSorted(worstFirst);
}

function toSeries({ buckets, window }: Scope, sums: Sums, bookings: readonly Booking[]): Accounts['series'] {
  const settled = Map.groupBy(ofGroup(sums, 'bucket'), ({ bucketMs }) => bucketMs);
  const booked = Map.groupBy(bookings, ({ bucketMs }) => bucketMs);
  return {
    bucketMs: buckets.bucketMs,
    buckets: Array.from({ length: buckets.count }, (_, index): AccountLine & ExecutionWindow => {
      const atMs = buckets.firstMs + index * buckets.bucketMs;
      const line = sumOverProducers([toLine(settled.get(atMs) ?? [], booked.get(atMs) ?? [])]);
      return { ...windowOfBucket(buckets, window, index), ...withCheck(line) };
    }),
  };
}

/** What producers gave up at their end is dropped, too. */
function toReasons(sums: Sums, bookings: readonly Booking[]): Accounts['droppedBy'] {
  const reasons = new Map(sums.reasons.map(({ reason, records }) => [reason, records]));
  const abandoned = sumOf(bookings.filter(({ place }) => place === 'dropped'));
  if (abandoned > 0) reasons.set('unsent', (reasons.get('unsent') ?? 0) + abandoned);
  return [...reasons]
    .map(([reason, records]) => ({ reason, records }))
    .toSorted((a, b) => b.records - a.records || a.reason.localeCompare(b.reason));
}

function toGapEntries(accounts: readonly LifeAccount[]): GapEntry[] {
  return accounts
    .flatMap(({ life, pieces }) =>
      pieces
        .filter(({ records }) => records > 0)
        .map(({ piece, records }): GapEntry => {
          const { state, fromSeq, untilSeq } = piece;
          const minutes = [piece.fromMinute, piece.untilMinute].filter((minute) => minute !== null);
          const at = (minute: number): Date | null => (minutes.length === 0 ? null : new Date(minute * 60_000));
          return {
            ...{ queue: life.queue, producer: life.producer, life: lifeOf(life), state, fromSeq, untilSeq, records },
            since: at(Math.min(...minutes)),
            until: at(Math.max(...minutes)),
          };
        }),
    )
    .toSorted((a, b) => pieceStates.indexOf(a.state) - pieceStates.indexOf(b.state) || b.records - a.records);
}

function toSilentLives(accounts: readonly LifeAccount[]): SilentLife[] {
  return accounts
    .filter(({ mayBeLost }) => mayBeLost > 0)
    .map(({ life, attributed, held, mayBeLost }) => ({
      ...{ queue: life.queue, producer: life.producer, life: lifeOf(life) },
      lastHeardAt: new Date(Math.max(life.report?.lastAtMs ?? 0, life.lastChunkAtMs ?? 0)),
      uncertain: sumOf(attributed.filter(({ state }) => state === 'uncertain')) + sumOf(held),
      upTo: mayBeLost,
    }))
    .toSorted((a, b) => b.upTo - a.upTo);
}
