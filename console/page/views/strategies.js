import { shareBar } from '../components/bars.js';
import { choiceFilter, textFilter } from '../components/filters.js';
import { card, emptyState, marginText, nameText, rateText, timeText } from '../components/parts.js';
import { table } from '../components/table.js';
import { get } from '../lib/api.js';
import { el } from '../lib/dom.js';
import { count, runs } from '../lib/format.js';
import { hrefTo, hrefWith } from '../lib/route.js';
import { windowQuery } from '../lib/window.js';
import { newestFailuresCard, traceCard } from './strategy-executions.js';

/** @typedef {import('../types.d.ts').ExecutionPage} ExecutionPage */
/** @typedef {import('../types.d.ts').StrategyList} StrategyList */
/** @typedef {import('../types.d.ts').ViewContext} ViewContext */

/** @typedef {StrategyList['strategies'][number]} Seen */

const most = 200;

/** The orders of the list. Failures come first by default, because most readers look for them. */
/** @type {readonly { value: string, text: string, of: (strategy: Seen) => number }[]} */
const orders = [
  { value: 'failed', text: 'most failures', of: ({ failed }) => failed.runs },
  { value: 'rate', text: 'highest failure rate', of: ({ failureRate }) => failureRate.value ?? 0 },
  { value: 'runs', text: 'most runs', of: ({ total }) => total.runs },
  { value: 'last', text: 'last run', of: ({ lastActivity }) => Date.parse(lastActivity) },
];

/** The strategies that are selected for a comparison, in the order of their selection. @param {import('../lib/route.js').Route} route */
function pickedIn({ params }) {
  return ['pickA', 'pickB'].flatMap((name) => params.get(name) ?? []);
}

/** @type {import('../types.d.ts').View<{ list: StrategyList, failures: ExecutionPage | null, trace: ExecutionPage | null }>} */
export const strategies = {
  title: () => 'Strategies',
  hasWindow: true,
  async load(route, signal) {
    const window = windowQuery(route);
    const traceId = route.params.get('trace');
    const [list, trace, failures] = await Promise.all([
      get('strategies', { ...window, limit: most }, signal),
      traceId === null ? null : get('executions', { ...window, traceId, limit: most }, signal),
      // The view works without them, should they take too long.
      traceId === null ? get('executions', { ...window, status: 'failed', limit: 5 }, signal).catch(() => null) : null,
    ]);
    return { list, failures, trace };
  },
  render({ list: answer, failures, trace }, context) {
    const { params } = context.route;
    const wanted = (params.get('find') ?? '').toLowerCase();
    const { of } = orders.find(({ value }) => value === params.get('order')) ?? /** @type {any} */ (orders[0]);
    const found = answer.strategies
      .filter(({ strategyId, strategyName }) =>
        [strategyId, strategyName ?? ''].some((text) => text.toLowerCase().includes(wanted)),
      )
      .toSorted((a, b) => of(b) - of(a));
    return [
      trace === null ? null : traceCard(trace, context),
      failures === null || failures.executions.length === 0 ? null : newestFailuresCard(failures, context),
      card(
        'Strategies at a glance',
        {
          note: `${count(answer.strategies.length)} ran in this window${answer.strategies.length === most ? ', and perhaps more: only these are listed' : ''}`,
          actions: [
            choiceFilter(context, { name: 'order', label: 'Order', options: orders, fallback: 'failed' }),
            textFilter(context, { name: 'find', label: 'Find by id or name', isLive: true }),
            textFilter(context, { name: 'trace', label: 'Trace id' }),
            compareLink(context),
          ],
        },
        answer.strategies.length === 0
          ? emptyState(
              'Nothing ran in this window',
              'Choose a longer one, or check on the fleet whether records still wait in a queue.',
            )
          : found.length === 0
            ? emptyState('No such strategy', 'None of the ids and names contains this text.')
            : strategyTable(found, context),
      ),
    ];
  },
};

/** @param {ViewContext} context */
function compareLink({ route }) {
  const [a, b] = pickedIn(route);
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
    caption: 'Strategies with their runs and failures',
    rows,
    keyOf: ({ strategyId }) => strategyId,
    columns: [
      { name: 'Pick', class: 'narrow', cell: ({ strategyId }) => pickBox(strategyId, context), csv: {} },
      {
        name: 'Strategy',
        isHead: true,
        cell: ({ strategyId, strategyName }) => [
          el('a', { class: 'id', href: hrefTo(context.route, 'strategy', { id: strategyId }) }, strategyId),
          nameText(strategyName),
        ],
        csv: { Strategy: ({ strategyId }) => strategyId, 'Strategy name': ({ strategyName }) => strategyName },
      },
      { name: 'Runs', isNumber: true, cell: ({ total }) => runs(total), csv: ({ total }) => total.runs },
      {
        name: 'Stored rows',
        isNumber: true,
        class: 'quiet',
        cell: ({ total }) => count(total.rows),
        csv: ({ total }) => total.rows,
      },
      { name: 'Failed', isNumber: true, cell: ({ failed }) => runs(failed), csv: ({ failed }) => failed.runs },
      {
        name: 'Failure rate',
        isNumber: true,
        cell: ({ failureRate }) => rateText(failureRate),
        csv: ({ failureRate }) => failureRate.value,
      },
      {
        name: 'Margin',
        isNumber: true,
        class: 'quiet',
        cell: ({ failureRate }) => marginText(failureRate),
        csv: {
          Margin: ({ failureRate }) => failureRate.margin,
          'Too few rows': ({ failureRate }) => failureRate.tooFew,
        },
      },
      {
        name: 'Mix',
        class: 'mix',
        cell: ({ total, failed }) =>
          shareBar('Share of failures', [
            { kind: 'ok', value: total.runs - failed.runs },
            { kind: 'error', value: failed.runs },
          ]),
        csv: {},
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
  const picked = pickedIn(route);
  return el('input', {
    type: 'checkbox',
    checked: picked.includes(strategyId),
    'aria-label': `Pick ${strategyId} for a comparison`,
    onChange: ({ currentTarget }) => {
      const others = picked.filter((id) => id !== strategyId);
      // Two at most: the first one is deselected.
      const [pickA = null, pickB = null] = (currentTarget.checked ? [...others, strategyId] : others).slice(-2);
      go(hrefWith(route, { pickA, pickB }), { replace: true });
    },
  });
}
