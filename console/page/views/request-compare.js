import { textFilter } from '../components/filters.js';
import { shortText } from '../components/long-text.js';
import { card, emptyState } from '../components/parts.js';
import { table } from '../components/table.js';
import { get } from '../lib/api.js';
import { el } from '../lib/dom.js';
import { compact, counted, ms, nothing, percent, time } from '../lib/format.js';
import { money, moneys } from '../lib/money.js';
import { hrefTo, hrefWith } from '../lib/route.js';
import { windowQuery } from '../lib/window.js';
import { verdict, withRange } from './compare-parts.js';
import { costDetail } from './request-figures.js';
import { filterQuery } from './request-filters.js';

/** @typedef {import('../types.d.ts').RequestComparison} RequestComparison */
/** @typedef {import('../types.d.ts').ViewContext} ViewContext */
/** @typedef {RequestComparison['a']} Side */
/** @typedef {{ value: number | null, low: number | null, high: number | null, tooFew: boolean }} Interval */

/** Two models within a window or, without models, a window and the one of the same length right before it. */
/** @type {import('../types.d.ts').View<RequestComparison | null>} */
export const requestCompare = {
  title: () => 'Compare requests',
  hasWindow: true,
  async load(route, signal) {
    const { params } = route;
    const [a, b] = [params.get('a'), params.get('b')];
    if ((a === null) !== (b === null) || (a === null && params.get('window') === 'all')) return null;
    const { model, ...filters } = filterQuery(route);
    return get(
      'requests/compare',
      { a, b, ...windowQuery(route), ...filters, ...(a === null ? { model } : {}) },
      signal,
    );
  },
  render(comparison, context) {
    const { route } = context;
    const [a, b] = [route.params.get('a'), route.params.get('b')];
    const picker = card(
      'What to compare',
      { key: 'picker', note: 'two models or, without any, the window with the time right before' },
      el(
        'div',
        { class: 'filters pair', role: 'group', 'aria-label': 'The models to compare' },
        textFilter(context, { name: 'a', label: 'Model A' }),
        textFilter(context, { name: 'b', label: 'Model B' }),
        a && b ? el('a', { class: 'button', href: hrefWith(route, { a: b, b: a }) }, 'Swap') : null,
        a || b
          ? el('a', { class: 'button', href: hrefWith(route, { a: null, b: null }) }, 'Compare with the time before')
          : null,
        el('a', { class: 'button', href: hrefTo(route, 'requests') }, 'Back to the requests'),
      ),
    );
    if (comparison === null) {
      return [
        picker,
        a === null && b === null
          ? emptyState('All time has no time before', 'Choose a window, or name two models.')
          : emptyState('Name two models', 'A comparison of models needs both.'),
      ];
    }
    return [picker, comparisonCard(comparison)];
  },
};

/**
 * @typedef {object} Row
 * @property {string} name
 * @property {'lower' | null} better null: neither more nor less is better
 * @property {number | null} delta
 * @property {(value: number | null) => string} write
 * @property {(side: Side) => Interval} figure
 */

/** @param {number | null} value @returns {Interval} */
function exactly(value) {
  return { value, low: null, high: null, tooFew: false };
}

/** @param {number} sum @param {number} of */
function mean(sum, of) {
  return of === 0 ? null : sum / of;
}

/** @param {Side} side @returns {number | null} */
function costPerRequest({ cost: { amounts } }) {
  const [only] = amounts;
  return only === undefined || amounts.length > 1 || only.requests === 0 ? null : Number(only.amount) / only.requests;
}

/** @param {RequestComparison} comparison @returns {Row[]} */
function rowsOf({ delta }) {
  const cost = delta.costPerRequest;
  return [
    {
      name: 'Requests',
      better: null,
      delta: delta.requests,
      write: writeCount,
      figure: ({ requests }) => exactly(requests),
    },
    {
      name: 'Failure rate',
      better: 'lower',
      delta: delta.failureRate,
      write: percent,
      figure: ({ failureRate }) => failureRate,
    },
    {
      name: 'Latency p50',
      better: 'lower',
      delta: delta.p50Ms,
      write: ms,
      figure: ({ latencyMs }) => latencyMs.completed.p50,
    },
    {
      name: 'Latency p95',
      better: 'lower',
      delta: delta.p95Ms,
      write: ms,
      figure: ({ latencyMs }) => latencyMs.completed.p95,
    },
    {
      name: 'Latency p99',
      better: 'lower',
      delta: delta.p99Ms,
      write: ms,
      figure: ({ latencyMs }) => latencyMs.completed.p99,
    },
    {
      name: 'First token p50',
      better: 'lower',
      delta: delta.firstTokenP50Ms,
      write: ms,
      figure: ({ firstTokenMs }) => firstTokenMs.p50,
    },
    {
      name: 'First token p95',
      better: 'lower',
      delta: delta.firstTokenP95Ms,
      write: ms,
      figure: ({ firstTokenMs }) => firstTokenMs.p95,
    },
    {
      name: 'Tokens in, each',
      better: null,
      delta: delta.inputTokensPerRequest,
      write: writeCount,
      figure: ({ tokens }) => exactly(mean(tokens.input, tokens.inputRequests)),
    },
    {
      name: 'Tokens out, each',
      better: null,
      delta: delta.outputTokensPerRequest,
      write: writeCount,
      figure: ({ tokens }) => exactly(mean(tokens.output, tokens.outputRequests)),
    },
    ...(cost === null
      ? []
      : [
          {
            name: 'Cost, each',
            better: /** @type {const} */ ('lower'),
            delta: cost.amount,
            write: (/** @type {number | null} */ value) =>
              value === null ? nothing : money({ currency: cost.currency, amount: `${value}` }),
            figure: (/** @type {Side} */ side) => exactly(costPerRequest(side)),
          },
        ]),
  ];
}

/** @param {number | null} value */
function writeCount(value) {
  return value === null ? nothing : compact(Math.round(value)).replace('-', '−');
}

/** @param {RequestComparison} comparison */
function comparisonCard(comparison) {
  const { a, b } = comparison;
  return card(
    'Change from A to B',
    { key: 'deltas', note: 'latencies of completed requests' },
    el('p', { class: 'versus' }, sideName('A', a), sideName('B', b)),
    table({
      caption: 'Figures of A and B, and the change from A to B',
      rows: rowsOf(comparison),
      keyOf: ({ name }) => name,
      columns: [
        { name: 'Figure', isHead: true, cell: ({ name }) => name },
        {
          name: 'A',
          isNumber: true,
          class: 'ranged',
          cell: (row) => withRange(row, row.figure(a)),
          csv: (row) => row.figure(a).value,
        },
        {
          name: 'B',
          isNumber: true,
          class: 'ranged',
          cell: (row) => withRange(row, row.figure(b)),
          csv: (row) => row.figure(b).value,
        },
        {
          name: 'B less A',
          isNumber: true,
          cell: ({ delta, write }) => (delta === null ? nothing : `${delta > 0 ? '+' : ''}${write(delta)}`),
          csv: ({ delta }) => delta,
        },
        { name: 'Verdict', class: 'nowrap', cell: (row) => verdict(row, row.figure(a), row.figure(b)) },
      ],
    }),
    el(
      'p',
      { class: 'note' },
      `Cost in all: A ${moneys(a.cost.amounts)} (${costDetail(a.cost)}), B ${moneys(b.cost.amounts)} (${costDetail(b.cost)}).`,
    ),
  );
}

/** @param {string} letter @param {Side} side */
function sideName(letter, { model, window, requests }) {
  return el(
    'span',
    null,
    el('b', null, `${letter} `),
    model === null
      ? `${time(window.since)} to ${time(window.until)}`
      : el('code', { class: 'id' }, shortText(model, 80)),
    el('small', null, ` ${counted(requests, 'request')}`),
  );
}
