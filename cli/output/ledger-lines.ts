import {
  type AccountLine,
  type Accounts,
  type GapEntry,
  inFlightPlaces,
  type ProducerLine,
} from '../../queries/ledger/accounts.ts';
import type { PieceState } from '../../queries/ledger/cut-gap.ts';
import { inFlightNames, pieceNames } from '../../queries/ledger/place-names.ts';
import type { VerdictState } from '../../queries/ledger/verdict.ts';
import { none, toAge, toCount } from './figures.ts';
import type { Line, Tone } from './line.ts';
import { type Column, toTable } from './table.ts';

type Options = { columns: number | null };

const toneOfVerdict: Record<VerdictState, Tone> = {
  missing: 'bad',
  disagreeing: 'bad',
  unchecked: 'warning',
  uncertain: 'warning',
  balanced: 'good',
  empty: 'faint',
};

/** The books of a window, for a person: one line that says whether they balance, then the tables. */
export function toLedgerLines(accounts: Accounts, options: Options): Line[] {
  const { verdict, window, total } = accounts;
  return [
    [{ text: verdict.text, tone: toneOfVerdict[verdict.state] }],
    `window    ${window.since.toISOString()} to ${window.until.toISOString()}`,
    ...(total.dropped > 0 ? [`dropped   ${accounts.droppedBy.map(toReason).join(', ')}`] : []),
    ...(total.inFlight > 0 ? [`in flight ${toPlaces(accounts.inFlightBy)}`] : []),
    ...toLeftOut(accounts),
    ...toProducers(accounts, options),
    ...toGaps(accounts, options),
    ...toSilent(accounts, options),
    ...toClocks(accounts, options),
  ];
}

function toReason({ reason, records }: Accounts['droppedBy'][number]): string {
  return `${reason} ${toCount(records)}`;
}

function toPlaces(places: Accounts['inFlightBy']): string {
  return inFlightPlaces
    .filter((place) => places[place] > 0)
    .map((place) => `${toCount(places[place])} ${inFlightNames[place]}`)
    .join(', ');
}

function toLeftOut({ livesLeftOut }: Accounts): Line[] {
  if (livesLeftOut === 0) return [];
  const text = `${toCount(livesLeftOut)} more lives than can be looked at: what of them has not arrived counts as unexplained. Ask for a shorter window, or for one producer (--producer)`;
  return [['left out  ', { text, tone: 'warning' }]];
}

function toProducers({ producers, producersLeftOut, total }: Accounts, options: Options): Line[] {
  if (producers.length === 0) return [];
  const column = (
    title: string,
    of: (line: AccountLine) => number,
    tone?: Tone,
  ): Column<ProducerLine | AccountLine> => ({
    title,
    align: 'right',
    cell: (line) => (tone !== undefined && of(line) !== 0 ? { text: toCount(of(line)), tone } : toCount(of(line))),
  });
  const optional = (one: Column<ProducerLine | AccountLine>) => ({ ...one, optional: true });
  return [
    '',
    ...toTable<ProducerLine | AccountLine>(
      [
        { title: 'producer', cell: (line) => ('producer' in line ? line.producer : 'all'), min: 12 },
        { title: 'queue', cell: (line) => ('queue' in line ? line.queue : ''), min: 9 },
        column('recorded', ({ recorded }) => recorded),
        column('stored', ({ stored }) => stored),
        column('missing', ({ missing }) => missing, 'bad'),
        column('uncertain', ({ uncertain }) => uncertain, 'warning'),
        column('in flight', ({ inFlight }) => inFlight),
        column('dead', ({ dead }) => dead, 'warning'),
        column('dropped', ({ dropped }) => dropped, 'warning'),
        column('refused', ({ refused }) => refused, 'warning'),
        column('duplicate', ({ duplicate }) => duplicate),
        column('sampled out', ({ sampledOut }) => sampledOut),
        optional(column('disabled', ({ disabled }) => disabled)),
        optional(column('handed', ({ handed }) => handed)),
        optional(column('unexplained', ({ unexplained }) => unexplained, 'bad')),
      ],
      producers.length === 1 && total.handed === producers[0]?.handed ? producers : [...producers, total],
      options,
    ),
    ...more(producersLeftOut, 'producers'),
  ];
}

const toneOfState: Record<PieceState, Tone> = {
  missing: 'bad',
  uncertain: 'warning',
  unchecked: 'warning',
  abandoned: 'warning',
  failed: 'warning',
  onDisk: 'faint',
  unsent: 'faint',
  queued: 'faint',
};

function toGaps({ gaps, gapsLeftOut }: Accounts, options: Options): Line[] {
  if (gaps.length === 0) return [];
  return [
    '',
    ...toTable<GapEntry>(
      [
        { title: 'not arrived', cell: ({ state }) => ({ text: pieceNames[state], tone: toneOfState[state] }) },
        { title: 'records', cell: ({ records }) => toCount(records), align: 'right' },
        { title: 'chunks', cell: ({ fromSeq, untilSeq }) => toNumbers(fromSeq, untilSeq), align: 'right' },
        { title: 'life', cell: ({ life }) => life, min: 20 },
        { title: 'recorded between', cell: ({ since }) => since?.toISOString() ?? none },
        { title: 'and', cell: ({ until }) => until?.toISOString() ?? none, optional: true },
        { title: 'queue', cell: ({ queue }) => queue, optional: true },
      ],
      gaps,
      options,
    ),
    ...more(gapsLeftOut, 'gaps'),
  ];
}

function toNumbers(from: number, until: number): string {
  return from === until ? `${from}` : `${from}–${until}`;
}

function toSilent({ silentLives, silentLivesLeftOut, at }: Accounts, options: Options): Line[] {
  if (silentLives.length === 0) return [];
  return [
    '',
    ...toTable(
      [
        { title: 'ended without a word', cell: ({ life }) => life, min: 20 },
        {
          title: 'last heard',
          cell: ({ lastHeardAt }) => `${toAge((at.getTime() - lastHeardAt.getTime()) / 1_000)} ago`,
        },
        { title: 'may be lost', cell: ({ upTo }) => `0 to ${toCount(upTo)}`, align: 'right' },
        { title: 'queue', cell: ({ queue }) => queue, optional: true },
      ],
      silentLives,
      options,
    ),
    ...more(silentLivesLeftOut, 'of them'),
  ];
}

function toClocks({ clocks }: Accounts, options: Options): Line[] {
  if (clocks.length === 0) return [];
  return [
    '',
    ...toTable(
      [
        { title: 'wrong clock', cell: ({ life }) => life, min: 20 },
        {
          title: 'off by',
          cell: ({ offSeconds }) => `${toAge(Math.abs(offSeconds))} ${offSeconds > 0 ? 'ahead' : 'behind'}`,
        },
        { title: 'queue', cell: ({ queue }) => queue, optional: true },
      ],
      clocks,
      options,
    ),
    'their minutes are those of their own clocks, and may be in another window',
  ];
}

function more(leftOut: number, what: string): Line[] {
  return leftOut === 0 ? [] : [`and ${toCount(leftOut)} more ${what}`];
}
