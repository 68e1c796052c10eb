import { shareBar } from '../components/bars.js';
import { textFilter } from '../components/filters.js';
import { card, emptyState, rateText, tallyText, timeText } from '../components/parts.js';
import { table } from '../components/table.js';
import { get } from '../lib/api.js';
import { el } from '../lib/dom.js';
import { count } from '../lib/format.js';
import { hrefTo, hrefWith } from '../lib/route.js';
import { windowQuery } from '../lib/window.js';

/** @typedef {import('../types.d.ts').StrategyList} StrategyList */
/** @typedef {import('../types.d.ts').ViewContext} ViewContext */

const most = 200;

/** Two strategies that were picked, kept while the page is open. */
/** @type {Set<string>} */
const picked = new Set();

/** @type {import('../types.d.ts').View<StrategyList>} */
export const strategies = {
  title: () => 'Strategies',
  hasWindow: true,
  load: (route, signal) => get('strategies', { ...windowQuery(route), limit: most }, signal),
  render(answer, context) {
    const wanted = (context.route.params.get('find') ?? '').toLowerCase();
    const found = answer.strategies.filter(({ strategyId }) => strategyId.toLowerCase().includes(wanted));
    return [
      card(
        'Strategies at a glance',
        {
          note: `${count(answer.strategies.length)} ran in this window${answer.strategies.length === most ? ', and perhaps more: only these are listed' : ''}`,
          actions: [textFilter(context, { name: 'find', label: 'Find by id', isLive: true }), compareLink(context)],
        },
        answer.strategies.length === 0
          ? emptyState(
              'Nothing ran in this window',
              'Choose a longer one, or check on the fleet whether records still wait in a queue.',
            )
          : found.length === 0
            ? emptyState('No such strategy', 'None of the ids has this text in it.')
            : strategyTable(found, context),
      ),
    ];
  },
};

/** @param {ViewContext} context */
function compareLink({ route }) {
  const [a, b] = [...picked];
  return b === undefined
    ? el('span', { class: 'hint' }, 'Pick two to compare')
    : el('a', { class: 'button primary', href: hrefTo(route, 'compare', { a, b }) }, 'Compare the two');
}

/**
 * @param {StrategyList['strategies']} rows
 * @param {ViewContext} context
 */
function strategyTable(rows, context) {
  return table({
    caption: 'Strategies, the one that ran last first',
    rows,
    keyOf: ({ strategyId }) => strategyId,
    columns: [
      { name: 'Pick', class: 'narrow', cell: ({ strategyId }) => pickBox(strategyId, context) },
      {
        name: 'Strategy',
        isHead: true,
        cell: ({ strategyId }) =>
          el('a', { class: 'id', href: hrefTo(context.route, 'strategy', { id: strategyId }) }, strategyId),
      },
      { name: 'Runs', isNumber: true, cell: ({ total }) => tallyText(total) },
      { name: 'Failed', isNumber: true, cell: ({ failed }) => tallyText(failed) },
      { name: 'Failure rate', isNumber: true, cell: ({ failureRate }) => rateText(failureRate) },
      {
        name: 'Mix',
        class: 'mix',
        cell: ({ total, failed }) =>
          shareBar('Share of failures', [
            { kind: 'ok', value: total.runs - failed.runs },
            { kind: 'error', value: failed.runs },
          ]),
      },
      { name: 'Last run', class: 'nowrap', cell: ({ lastActivity }) => timeText(lastActivity, context.nowMs) },
    ],
  });
}

/**
 * @param {string} strategyId
 * @param {ViewContext} context
 */
function pickBox(strategyId, { route, go }) {
  return el('input', {
    type: 'checkbox',
    checked: picked.has(strategyId),
    'aria-label': `Pick ${strategyId} for a comparison`,
    on: {
      change: (/** @type {Event & { target: HTMLInputElement }} */ { target }) => {
        if (target.checked) picked.add(strategyId);
        else picked.delete(strategyId);
        // Two at most: the one picked first gives way.
        while (picked.size > 2) picked.delete([...picked][0] ?? '');
        go(hrefWith(route, {}), { replace: true });
      },
    },
  });
}
