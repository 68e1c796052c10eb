import { choiceFilter, pager, textFilter } from '../components/filters.js';
import { card, emptyState, nameText, statusBadge, timeText } from '../components/parts.js';
import { table } from '../components/table.js';
import { statuses } from '../lib/contract-lists.js';
import { el } from '../lib/dom.js';
import { decimal, ms, nothing } from '../lib/format.js';
import { firstPage, hrefTo, hrefWith } from '../lib/route.js';
import { windowQuery } from '../lib/window.js';

/** @typedef {import('../types.d.ts').ExecutionPage} ExecutionPage */
/** @typedef {ExecutionPage['executions'][number]} Listed */
/** @typedef {import('../types.d.ts').ViewContext} ViewContext */
/** @typedef {import('../lib/route.js').Route} Route */

const statusChoices = [
  { value: 'failed', text: 'failed' },
  { value: 'all', text: 'all' },
  ...statuses.map((value) => ({ value, text: value })),
];

/** The filters of the list, as in the URL. */
const filterNames = ['status', 'code', 'case', 'unmatched', 'points', 'user', 'realm', 'trace'];
export const noFilter = Object.fromEntries(filterNames.map((name) => [name, null]));

/**
 * Failures, unless the URL asks for others: failed runs matched no case and scored no points.
 *
 * @param {Route} route
 */
function usualStatus({ params }) {
  return params.has('points') || params.has('unmatched') ? 'ok' : 'failed';
}

/**
 * The newest failures, unless the URL asks for others.
 *
 * @param {Route} route
 * @param {string} strategyId
 * @returns {import('../lib/api.js').Query}
 */
export function executionsQuery(route, strategyId) {
  const { params } = route;
  const status = params.get('status') ?? usualStatus(route);
  // A page continues in the window of the page before, which ended when it was loaded; the first page ends now.
  const until = params.has('cursor') ? params.get('pageUntil') : null;
  return {
    strategyId,
    ...windowQuery(route),
    ...(until === null ? {} : { until }),
    status: status === 'all' ? null : status,
    errorCode: params.get('code'),
    caseName: params.get('case'),
    unmatched: params.get('unmatched'),
    points: params.get('points'),
    externalUserId: params.get('user'),
    realmId: params.get('realm'),
    traceId: params.get('trace'),
    cursor: params.get('cursor'),
    limit: 25,
  };
}

/** @param {ExecutionPage} page @param {ViewContext} context */
export function executionsCard(page, context) {
  const { route } = context;
  const isFailures = (route.params.get('status') ?? usualStatus(route)) === 'failed';
  return card(
    isFailures ? 'Newest failures' : 'Newest executions',
    { key: 'executions', note: 'each opens with its trace, its input and a body to replay it' },
    el(
      'div',
      { class: 'filters', role: 'group', 'aria-label': 'List filters' },
      choiceFilter(context, { name: 'status', label: 'Status', options: statusChoices, fallback: usualStatus(route) }),
      textFilter(context, { name: 'code', label: 'Error code' }),
      textFilter(context, { name: 'case', label: 'Case' }),
      textFilter(context, { name: 'points', label: 'Points', type: 'number' }),
      textFilter(context, { name: 'user', label: 'User' }),
      textFilter(context, { name: 'realm', label: 'Realm' }),
      textFilter(context, { name: 'trace', label: 'Trace id' }),
      hasFilter(route)
        ? el(
            'a',
            {
              class: 'button',
              href: hrefWith(route, { ...noFilter, ...firstPage }),
            },
            'Clear',
          )
        : null,
    ),
    page.executions.length === 0
      ? emptyState(
          isFailures ? 'No failures' : 'No executions',
          'No stored executions in this window match the filters.',
        )
      : executionTable(page.executions, context),
    pager(context, page.cursor === null ? null : { cursor: page.cursor, pageUntil: page.until }),
  );
}

/** @param {Route} route */
function hasFilter({ params }) {
  return filterNames.some((name) => params.has(name));
}

/** @param {ExecutionPage['executions']} rows @param {ViewContext} context */
function executionTable(rows, context) {
  return table({
    caption: 'Executions, newest first',
    rows,
    keyOf: ({ id }) => id,
    columns: [
      whenColumn(context),
      { name: 'Status', cell: ({ status }) => statusBadge(status) },
      outcomeColumn,
      userColumn,
      {
        name: 'Version',
        isNumber: true,
        cell: ({ strategyVersion }) => `${strategyVersion}`,
        csv: ({ strategyVersion }) => strategyVersion,
      },
      {
        name: 'Duration',
        isNumber: true,
        cell: ({ durationMs }) => ms(durationMs),
        csv: { 'Duration (ms)': ({ durationMs }) => durationMs },
      },
      {
        name: 'Nodes',
        isNumber: true,
        cell: ({ nodesExecuted }) => decimal(nodesExecuted),
        csv: ({ nodesExecuted }) => nodesExecuted,
      },
    ],
  });
}

/**
 * The latest failures of all strategies.
 *
 * @param {ExecutionPage} page
 * @param {ViewContext} context
 */
export function newestFailuresCard({ executions }, context) {
  return card(
    'Newest failures',
    { key: 'executions', note: 'of all strategies; each opens with its trace' },
    tableOfAll('Failures of all strategies, newest first', executions, context),
  );
}

/**
 * What ran within one trace of OpenTelemetry, whichever strategy it was.
 *
 * @param {ExecutionPage} page
 * @param {ViewContext} context
 */
export function traceCard({ executions, cursor }, context) {
  const { route } = context;
  const requests = hrefTo(route, 'requests', { trace: route.params.get('trace') });
  return card(
    'Executions of the trace',
    {
      key: 'executions',
      note: `of all strategies${cursor === null ? '' : `, the newest ${executions.length}`}`,
      actions: [el('a', { class: 'button', href: requests }, 'Its requests')],
    },
    executions.length === 0
      ? emptyState('Nothing here', 'No stored execution of this window belongs to this trace.')
      : tableOfAll('Executions of the trace, newest first', executions, context),
  );
}

/** @param {string} caption @param {ExecutionPage['executions']} rows @param {ViewContext} context */
function tableOfAll(caption, rows, context) {
  return table({
    caption,
    rows,
    keyOf: ({ id }) => id,
    columns: [
      whenColumn(context),
      {
        name: 'Strategy',
        class: 'clip',
        cell: ({ strategyId, strategyName }) => [
          el('a', { class: 'id', href: hrefTo(context.route, 'strategy', { id: strategyId }) }, strategyId),
          nameText(strategyName),
        ],
        csv: { Strategy: ({ strategyId }) => strategyId, 'Strategy name': ({ strategyName }) => strategyName },
      },
      { name: 'Status', cell: ({ status }) => statusBadge(status) },
      outcomeColumn,
      userColumn,
    ],
  });
}

/** @param {ViewContext} context */
function whenColumn({ route, nowMs }) {
  /** @param {Listed} execution */
  const cell = ({ id, recordedAt }) => [
    el('a', { href: hrefWith(route, { execution: id }), 'aria-haspopup': 'dialog' }, timeText(recordedAt)),
    el('small', { class: 'below' }, timeText(recordedAt, nowMs)),
  ];
  const csv = {
    When: (/** @type {Listed} */ { recordedAt }) => recordedAt,
    Execution: (/** @type {Listed} */ { id }) => id,
  };
  return { name: 'When', isHead: true, class: 'nowrap', cell, csv };
}

/** @param {Listed} execution */
function whatHappened({ status, errorCode, errorMessage, failedNodeId, caseName, points }) {
  if (status === 'ok') return [el('b', null, caseName ?? 'no case'), ` ${decimal(points)} points`];
  return [
    el('b', null, errorCode ?? 'no code'),
    failedNodeId === null ? null : [' at ', el('code', { class: 'id' }, failedNodeId)],
    errorMessage === null ? null : el('span', { class: 'message' }, errorMessage),
  ];
}

/** @type {import('../components/table.js').Column<Listed>} */
const outcomeColumn = {
  name: 'What happened',
  class: 'wide',
  cell: whatHappened,
  csv: {
    Case: ({ caseName }) => caseName,
    Points: ({ points }) => points,
    'Error code': ({ errorCode }) => errorCode,
    'Failed node': ({ failedNodeId }) => failedNodeId,
    Message: ({ errorMessage }) => errorMessage,
  },
};

/** @type {import('../components/table.js').Column<Listed>} */
const userColumn = {
  name: 'User',
  class: 'clip',
  cell: ({ externalUserId }) => externalUserId ?? nothing,
  csv: ({ externalUserId }) => externalUserId,
};
