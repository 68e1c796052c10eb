import { durationHistogram, durationLegend, shareBar } from '../components/bars.js';
import { card, nameText, tallyText, tooFewMark } from '../components/parts.js';
import { table } from '../components/table.js';
import { statuses } from '../lib/contract-lists.js';
import { el } from '../lib/dom.js';
import { decimal, ms, nothing, percent, rowsText } from '../lib/format.js';
import { hrefTo } from '../lib/route.js';

/** @typedef {import('../types.d.ts').Comparison} Comparison */
/** @typedef {Comparison['a']} Figures */
/** @typedef {{ value: number | null, low: number | null, high: number | null, tooFew: boolean }} Interval */

/**
 * @typedef {object} Row
 * @property {string} name
 * @property {'lower' | 'higher'} better
 * @property {number | null} delta
 * @property {(value: number | null) => string} write
 * @property {(of: Figures) => Interval} figure
 */

/** @param {Comparison} comparison @returns {Row[]} */
function rowsOf({ delta }) {
  return [
    {
      name: 'Failure rate',
      better: 'lower',
      delta: delta.failureRate,
      write: percent,
      figure: ({ summary }) => toInterval(summary.failureRate),
    },
    {
      name: 'Mean duration',
      better: 'lower',
      delta: delta.meanMs,
      write: ms,
      figure: ({ summary }) =>
        toInterval({ ...summary.statuses.ok.durationMs, value: summary.statuses.ok.durationMs.mean }),
    },
    { name: 'p50', better: 'lower', delta: delta.p50Ms, write: ms, figure: ({ durations }) => durations.ok.p50 },
    { name: 'p95', better: 'lower', delta: delta.p95Ms, write: ms, figure: ({ durations }) => durations.ok.p95 },
    { name: 'p99', better: 'lower', delta: delta.p99Ms, write: ms, figure: ({ durations }) => durations.ok.p99 },
    {
      name: 'Mean points',
      better: 'higher',
      delta: delta.meanPoints,
      write: decimal,
      figure: ({ summary }) => toInterval({ ...summary.points, value: summary.points.mean }),
    },
  ];
}

/** @param {{ value: number | null, margin: number | null, tooFew: boolean }} estimate @returns {Interval} */
function toInterval({ value, margin, tooFew }) {
  const known = value !== null && margin !== null;
  return { value, low: known ? value - margin : null, high: known ? value + margin : null, tooFew };
}

/** @param {Comparison} comparison @param {import('../lib/route.js').Route} route */
export function deltaTable(comparison, route) {
  const { a, b } = comparison;
  const name = (/** @type {Figures} */ { strategyId, strategyName, summary }) => [
    el('a', { class: 'id', href: hrefTo(route, 'strategy', { id: strategyId }) }, strategyId),
    nameText(strategyName),
    el('small', null, ` ${rowsText(summary.total.rows)}`),
  ];
  return card(
    'Change from A to B',
    { key: 'deltas', note: 'durations and points of ok runs' },
    el(
      'p',
      { class: 'versus' },
      el('span', null, el('b', null, 'A '), name(a)),
      el('span', null, el('b', null, 'B '), name(b)),
    ),
    table({
      caption: 'Figures of A and B, and the change from A to B',
      rows: rowsOf(comparison),
      keyOf: (row) => row.name,
      columns: [
        { name: 'Figure', isHead: true, cell: (row) => row.name },
        rangedColumn('A', a),
        rangedColumn('B', b),
        {
          name: 'B less A',
          isNumber: true,
          cell: (row) => (row.delta === null ? nothing : `${row.delta > 0 ? '+' : ''}${row.write(row.delta)}`),
          csv: (row) => row.delta,
        },
        { name: 'Verdict', class: 'nowrap', cell: (row) => verdict(row, row.figure(a), row.figure(b)) },
      ],
    }),
  );
}

/** @param {string} name @param {Figures} figures @returns {import('../components/table.js').Column<Row>} */
function rangedColumn(name, figures) {
  return {
    name,
    isNumber: true,
    class: 'ranged',
    cell: (row) => withRange(row, row.figure(figures)),
    csv: {
      [name]: (row) => row.figure(figures).value,
      [`${name}, low`]: (row) => row.figure(figures).low,
      [`${name}, high`]: (row) => row.figure(figures).high,
    },
  };
}

/** A figure with its range. @param {{ write: Row['write'] }} row @param {Interval} interval */
export function withRange({ write }, { value, low, high, tooFew }) {
  const isWide = low !== null && high !== null && high > low;
  return [
    write(value),
    isWide ? el('small', null, ` ${write(low)} to ${write(high)}`) : null,
    tooFewMark(tooFew && value !== null, 'few rows'),
  ];
}

/**
 * Which of two figures is better, and how sure that is.
 *
 * @param {{ better: 'lower' | 'higher' | null, delta: number | null }} row better null: neither more nor less is better
 * @param {Interval} a
 * @param {Interval} b
 */
export function verdict({ better, delta }, a, b) {
  if (delta === null) return el('span', { class: 'quiet' }, 'nothing to compare');
  if (delta === 0) return el('span', { class: 'verdict' }, 'Same');
  if (better === null) return null;
  const isBetter = delta < 0 === (better === 'lower');
  const overlap =
    a.low !== null && a.high !== null && b.low !== null && b.high !== null && a.low <= b.high && b.low <= a.high;
  const doubt = a.tooFew || b.tooFew ? 'too few rows to be sure' : overlap ? 'the margins overlap' : null;
  return [
    el(
      'span',
      { class: `verdict ${isBetter ? 'better' : 'worse'}${doubt === null ? '' : ' doubtful'}` },
      isBetter ? 'Better' : 'Worse',
    ),
    doubt === null ? null : el('small', null, ` ${doubt}`),
  ];
}

/** @param {Comparison} comparison */
export function sideBySide({ a, b }) {
  return el('div', { class: 'grid two', key: 'sides' }, side('A', a), side('B', b));
}

/** @param {string} letter @param {Figures} figures */
function side(letter, { strategyId, strategyName, summary, durationBins }) {
  return card(
    `${letter}: ${strategyId}`,
    { key: letter, class: 'side', note: nameText(strategyName) },
    el('p', null, 'Runs ', tallyText(summary.total), ', failed ', tallyText(summary.failed)),
    shareBar(
      statuses
        .map(
          (status) =>
            `${status} ${percent(summary.total.runs === 0 ? 0 : summary.statuses[status].runs / summary.total.runs)}`,
        )
        .join(', '),
      statuses.map((status) => ({ kind: status, value: summary.statuses[status].runs })),
    ),
    el('p', { class: 'note' }, durationLegend()),
    durationHistogram(`Durations of ${letter}, by runs`, durationBins),
  );
}
