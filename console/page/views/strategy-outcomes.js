import { rankedList } from '../components/bars.js';
import { card, emptyState, statusBadge, tooFewMark } from '../components/parts.js';
import { table } from '../components/table.js';
import { statuses } from '../lib/contract-lists.js';
import { count, decimal, ms, runs } from '../lib/format.js';
import { firstPage, hrefWith } from '../lib/route.js';
import { noFilter } from './strategy-executions.js';

/** @typedef {import('../types.d.ts').Strategy} Strategy */
/** @typedef {import('../lib/route.js').Route} Route */

/** @param {Strategy} strategy @param {Route} route */
export function errorCard({ errorCodes, summary }, route) {
  const { codes, others, withoutCode } = errorCodes;
  return card(
    'Top errors',
    { note: 'of failed runs' },
    summary.failed.rows === 0
      ? emptyState('No failures', 'Every stored run in this window succeeded.')
      : rankedList('Error codes, most frequent first', [
          ...codes.map(({ code, ...tally }) => ({
            name: code,
            tally,
            kind: 'error',
            href: hrefWith(route, { ...noFilter, code, ...firstPage }),
          })),
          ...rest('other codes', others, 'error'),
          ...rest('without a code', withoutCode, 'error'),
        ]),
  );
}

/** @param {Strategy} strategy @param {Route} route */
export function caseCard({ cases, summary }, route) {
  const { cases: named, others, unmatched, failed } = cases;
  return card(
    'Cases',
    { note: 'of ok runs' },
    summary.total.rows === 0
      ? emptyState('No cases', 'Nothing ran.')
      : rankedList('Cases, most frequent first', [
          ...named.map(({ caseName, ...tally }) => ({
            name: caseName,
            tally,
            kind: 'ok',
            href: hrefWith(route, { ...noFilter, case: caseName, status: 'ok', ...firstPage }),
          })),
          ...rest('other cases', others, 'ok'),
          ...rest('matched no case', unmatched, 'ok').map((item) => ({
            ...item,
            href: hrefWith(route, { ...noFilter, unmatched: 'true', ...firstPage }),
          })),
          ...rest('failed, so no case', failed, 'error'),
        ]),
  );
}

/**
 * @param {string} name
 * @param {import('../types.d.ts').Tally} tally
 * @param {string} kind
 */
function rest(name, tally, kind) {
  return tally.rows === 0 ? [] : [{ name, tally, kind, isRest: true }];
}

/** @param {Strategy} strategy */
export function nodesCard({ summary }) {
  return card(
    'By status',
    { note: 'nodes evaluated, and mean duration' },
    table({
      caption: 'Nodes and durations by status',
      rows: statuses.filter((status) => summary.statuses[status].rows > 0),
      keyOf: (status) => status,
      columns: [
        { name: 'Status', isHead: true, cell: statusBadge },
        {
          name: 'Runs',
          isNumber: true,
          cell: (status) => runs(summary.statuses[status]),
          csv: (status) => summary.statuses[status].runs,
        },
        {
          name: 'Rows',
          isNumber: true,
          cell: (status) => [
            tooFewMark(summary.statuses[status].nodes.tooFew, 'few'),
            ` ${count(summary.statuses[status].rows)}`,
          ],
          csv: (status) => summary.statuses[status].rows,
        },
        {
          name: 'Nodes',
          isNumber: true,
          cell: (status) => decimal(summary.statuses[status].nodes.mean),
          csv: { 'Mean nodes': (status) => summary.statuses[status].nodes.mean },
        },
        {
          name: 'Most',
          isNumber: true,
          cell: (status) => decimal(summary.statuses[status].nodes.max),
          csv: { 'Most nodes': (status) => summary.statuses[status].nodes.max },
        },
        {
          name: 'Mean',
          isNumber: true,
          cell: (status) => ms(summary.statuses[status].durationMs.mean),
          csv: { 'Mean (ms)': (status) => summary.statuses[status].durationMs.mean },
        },
        {
          name: 'Longest',
          isNumber: true,
          cell: (status) => ms(summary.statuses[status].durationMs.max),
          csv: { 'Longest (ms)': (status) => summary.statuses[status].durationMs.max },
        },
      ],
    }),
  );
}
