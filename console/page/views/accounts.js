import { chart } from '../components/chart.js';
import { choiceFilter, textFilter } from '../components/filters.js';
import { card, emptyState, figure, figures, idText } from '../components/parts.js';
import { table } from '../components/table.js';
import { get } from '../lib/api.js';
import { inFlightNames } from '../lib/contract-lists.js';
import { el } from '../lib/dom.js';
import { compact, count, counted, nothing, span } from '../lib/format.js';
import { firstPage, hrefWith } from '../lib/route.js';
import { windowQuery } from '../lib/window.js';
import { clocksCard, gapsCard, silentCard } from './accounts-parts.js';

/** @typedef {import('../types.d.ts').Accounts} Accounts */
/** @typedef {Accounts['total']} Line */
/** @typedef {import('../types.d.ts').ViewContext} ViewContext */

/** The places of records in the books, with what each means. In the order of the chart, from the bottom up. */
/** @type {readonly { name: keyof Line, text: string, color: string, means: string }[]} */
const places = [
  { name: 'stored', text: 'stored', color: '--ok', means: 'a row of its own' },
  { name: 'duplicate', text: 'duplicate', color: '--points', means: 'its row was there already' },
  { name: 'sampledOut', text: 'sampled out', color: '--cancelled', means: 'the sampler left it out' },
  { name: 'disabled', text: 'disabled', color: '--books-disabled', means: 'the producer is switched off' },
  { name: 'inFlight', text: 'in flight', color: '--books-in-flight', means: 'on its way to its row' },
  { name: 'dead', text: 'dead letters', color: '--limit', means: 'kept, but cannot be stored as it is' },
  { name: 'dropped', text: 'dropped', color: '--timeout', means: 'the producer had no room for it' },
  { name: 'refused', text: 'refused', color: '--books-refused', means: 'Redis refused it for good' },
  { name: 'uncertain', text: 'uncertain', color: '--books-uncertain', means: 'its producer ended without a word' },
  { name: 'missing', text: 'missing', color: '--error', means: 'Redis had it, and it is neither there nor stored' },
];

/** @type {import('../types.d.ts').View<Accounts>} */
export const accounts = {
  title: () => 'Accounts',
  hasWindow: true,
  load(route, signal) {
    const filter = {
      queue: route.params.get('queue'),
      producer: route.params.get('producer'),
      realmId: route.params.get('realm'),
    };
    return get('ledger', { ...windowQuery(route), ...filter }, signal);
  },
  render(answer, context) {
    return [
      verdictBanner(answer),
      leftOut(answer),
      filters(context),
      answer.verdict.state === 'empty'
        ? emptyState(
            'Nothing was recorded in this window',
            'Choose a longer one. Producers report every minute; those of older builds do not, and are not in the books.',
          )
        : [
            keyFigures(answer),
            overTime(answer, context),
            gapsCard(answer),
            silentCard(answer, context),
            clocksCard(answer, context),
            producersCard(answer),
            realmsCard(answer),
          ],
      legendCard(),
    ];
  },
};

/** @param {Accounts} answer */
function verdictBanner({ verdict }) {
  return el('p', { class: `verdict-line books-${verdict.state}`, key: 'verdict', role: 'status' }, verdict.text);
}

/** @param {Accounts} answer */
function leftOut({ livesLeftOut }) {
  if (livesLeftOut === 0) return null;
  const text = `${count(livesLeftOut)} more lives than can be looked at: what of them has not arrived counts as unexplained. Choose a shorter window, or one producer.`;
  return el('p', { class: 'warning', key: 'left-out' }, text);
}

/** @param {ViewContext} context */
function filters(context) {
  return el(
    'div',
    { class: 'filters', role: 'group', 'aria-label': 'Filters of the books', key: 'filters' },
    choiceFilter(context, {
      name: 'queue',
      label: 'Queue',
      options: [
        { value: '', text: 'all' },
        { value: 'execution-log', text: 'executions' },
        { value: 'completed-request', text: 'requests' },
      ],
    }),
    textFilter(context, { name: 'producer', label: 'Producer' }),
    textFilter(context, { name: 'realm', label: 'Realm' }),
  );
}

/** @param {Accounts} answer */
function keyFigures({ total, inFlightBy, droppedBy, uncertainUpTo: upTo }) {
  const inFlight = Object.entries(inFlightNames).flatMap(([place, text]) => {
    const records = inFlightBy[/** @type {keyof typeof inFlightNames} */ (place)];
    return records === 0 ? [] : [`${count(records)} ${text}`];
  });
  return el(
    'section',
    { class: 'key-figures', 'aria-label': 'Key figures', key: 'figures' },
    figures(
      figure('Recorded', compact(total.recorded), 'everything that services handed over'),
      figure(
        'Stored',
        compact(total.stored),
        `${compact(total.sampledOut)} sampled out, ${compact(total.duplicate)} duplicates`,
      ),
      figure(
        'In flight',
        compact(total.inFlight),
        inFlight.length === 0 ? 'nothing is on its way' : inFlight.join(', '),
      ),
      figure('Missing', compact(total.missing), 'by the numbers of chunks', total.missing > 0 ? 'bad' : 'good'),
      figure(
        'Uncertain',
        upTo === 0 ? '0' : `0 to ${compact(upTo)}`,
        upTo === 0 ? 'no producer ended without a word' : 'with producers that ended without a word',
        upTo > 0 ? 'warn' : null,
      ),
      figure(
        'Dropped',
        compact(total.dropped + total.refused),
        droppedBy.length === 0
          ? `${compact(total.refused)} refused by Redis`
          : droppedBy.map(({ reason, records }) => `${compact(records)} ${reason}`).join(', '),
        total.dropped + total.refused > 0 ? 'warn' : null,
      ),
      figure('Dead letters', compact(total.dead), 'kept to be repaired', total.dead > 0 ? 'warn' : null),
      figure(
        'Unexplained',
        count(total.unexplained),
        'a check of the counts: recorded less all places',
        total.unexplained === 0 ? null : 'bad',
      ),
    ),
  );
}

/** @param {Accounts} answer @param {ViewContext} context */
function overTime({ series, total }, { route, go }) {
  const shown = places.filter(({ name }) => series.buckets.some((bucket) => bucket[name] > 0));
  return card(
    'The balance over time',
    { note: `records in each ${span(series.bucketMs)}, by the minute of the call; drag to zoom` },
    chart({
      title: 'The balance over time',
      summary: `of ${counted(total.recorded, 'record')}: ${shown.map(({ name, text }) => `${compact(total[name])} ${text}`).join(', ')}`,
      kind: 'stack',
      times: series.buckets.map(({ since }) => Date.parse(since) / 1_000),
      onSelect: (since, until) => {
        const [from, to] = [since, until].map((seconds) => new Date(Math.round(seconds) * 1_000).toISOString());
        if (from !== to) go(hrefWith(route, { since: from, until: to, window: null, ...firstPage }));
      },
      lines: shown.map(({ name, text, color }) => ({
        name: text,
        color,
        values: series.buckets.map((bucket) => bucket[name]),
      })),
      write: (value) => (value === null ? nothing : compact(value)),
    }),
  );
}

/** The columns of the lines of a table. */
const lineColumns = [
  column('Recorded', ({ recorded }) => recorded),
  column('Stored', ({ stored }) => stored),
  column('Missing', ({ missing }) => missing, 'bad'),
  column('Uncertain', ({ uncertain }) => uncertain, 'warn'),
  column('In flight', ({ inFlight }) => inFlight),
  column('Dead', ({ dead }) => dead, 'warn'),
  column('Dropped', ({ dropped }) => dropped, 'warn'),
  column('Refused', ({ refused }) => refused, 'warn'),
  column('Duplicate', ({ duplicate }) => duplicate),
  column('Sampled out', ({ sampledOut }) => sampledOut),
];

/**
 * @param {string} name
 * @param {(line: Line) => number} of
 * @param {string} [tone] of a value that is not 0
 */
function column(name, of, tone) {
  return {
    name,
    isNumber: true,
    cell: (/** @type {Line} */ line) => {
      const value = of(line);
      return tone === undefined || value === 0 ? count(value) : el('b', { class: `tone-${tone}` }, count(value));
    },
  };
}

/** @param {Accounts} answer */
function producersCard({ producers, producersLeftOut }) {
  return card(
    'By producer',
    {
      note: producersLeftOut > 0 ? `and ${count(producersLeftOut)} more` : 'those with something amiss first',
    },
    table({
      caption: 'The books of each producer',
      rows: producers,
      keyOf: ({ queue, producer }) => `${queue} ${producer}`,
      columns: [
        { name: 'Producer', isHead: true, cell: ({ producer }) => idText(producer) },
        { name: 'Queue', cell: ({ queue }) => queue },
        ...lineColumns,
        column('Handed on', ({ handed }) => handed),
        column('Unexplained', ({ unexplained }) => unexplained, 'bad'),
      ],
    }),
  );
}

/** @param {Accounts} answer */
function realmsCard({ realms, realmsLeftOut }) {
  if (realms.length < 2) return null;
  return card(
    'By realm',
    { note: realmsLeftOut > 0 ? `and ${count(realmsLeftOut)} more` : null },
    table({
      caption: 'The books of each realm',
      rows: realms,
      keyOf: ({ queue, realm }) => `${queue} ${realm === null ? 'none' : `realm ${realm}`}`,
      columns: [
        {
          name: 'Realm',
          isHead: true,
          cell: ({ realm }) => (realm === null ? el('span', { class: 'quiet' }, 'none') : idText(realm)),
        },
        { name: 'Queue', cell: ({ queue }) => queue },
        ...lineColumns,
      ],
    }),
  );
}

function legendCard() {
  return card(
    'How to read the books',
    { key: 'legend' },
    el(
      'p',
      null,
      'Each record that a service hands over is recorded once, and is in one of these places. Recorded is the sum of all of them; if it is not, the difference is unexplained, and the counting itself is wrong.',
    ),
    el(
      'dl',
      { class: 'facts' },
      places.map(({ text, means }) => el('div', { key: text }, el('dt', null, text), el('dd', null, means))),
    ),
    el(
      'p',
      null,
      'Chunks are numbered by their producer, and each says how many records came before it. A gap in the numbers is missing when Redis had the chunk and neither Redis nor the database has it now.',
    ),
  );
}
