import { pager } from '../components/filters.js';
import { card, emptyState, nameText, statusBadge, timeText } from '../components/parts.js';
import { table } from '../components/table.js';
import { el } from '../lib/dom.js';
import { bytes, counted, ms } from '../lib/format.js';
import { hrefWith } from '../lib/route.js';
import { windowQuery } from '../lib/window.js';
import { filterQuery } from './request-filters.js';

/** @typedef {import('../types.d.ts').RequestPage} RequestPage */
/** @typedef {import('../types.d.ts').RequestStats} RequestStats */
/** @typedef {import('../types.d.ts').ViewContext} ViewContext */
/** @typedef {RequestPage['requests'][number]} Listed */

/** Two selected requests, kept while the page is open. */
/** @type {Set<string>} */
const picked = new Set();

const windowMs = { '1h': 3_600_000, '24h': 86_400_000, '7d': 7 * 86_400_000, '30d': 30 * 86_400_000 };

/**
 * @param {import('../lib/route.js').Route} route
 * @param {number} nowMs
 * @returns {import('../lib/api.js').Query}
 */
export function listQuery(route, nowMs) {
  const { params } = route;
  const { since, until, window } = windowQuery(route);
  const length = windowMs[/** @type {keyof typeof windowMs} */ (window)];
  return {
    ...filterQuery(route),
    state: params.get('state'),
    traceId: params.get('trace'),
    text: params.get('text'),
    // The parts of a trace belong together, whenever they came.
    from: params.has('trace') ? null : length === undefined ? since : new Date(nowMs - length).toISOString(),
    until: params.has('trace') ? null : until,
    cursor: params.get('cursor'),
    limit: 50,
  };
}

/** @param {RequestPage} page @param {ViewContext} context */
export function requestListCard({ requests, cursor, searched }, context) {
  return card(
    'Requests',
    {
      key: 'list',
      note:
        searched === undefined
          ? 'in progress first, then newest first; pick two to compare what they say'
          : searchNote(searched),
      actions: compareLink(context),
    },
    requests.length === 0
      ? emptyState(
          'No requests',
          searched !== undefined && cursor !== null
            ? 'None until here. The search goes on with the next page.'
            : 'No stored requests match the window and the filters.',
        )
      : requestTable('Requests, in progress first, then newest first', requests, context),
    pager(context, cursor === null ? null : { cursor }),
  );
}

/** @param {NonNullable<RequestPage['searched']>} searched */
function searchNote({ requests, bytes: size, since }) {
  return [
    'looked through ',
    counted(requests, 'request'),
    ` (${bytes(size)})`,
    since === null ? null : [', back to ', timeText(since)],
  ];
}

/** @param {RequestStats} stats @param {ViewContext} context */
export function lastFailuresCard({ lastFailures }, context) {
  return card(
    'What failed last',
    { key: 'last failures', note: 'of the window; each opens with its conversation' },
    lastFailures.length === 0
      ? emptyState('No failures', 'No request of this window failed.')
      : table({
          caption: 'Requests that failed last',
          rows: lastFailures,
          keyOf: ({ id }) => id,
          columns: [
            whenColumn(context),
            statusColumn,
            { name: 'Model', class: 'clip', cell: ({ model }) => model },
            { name: 'Creator', class: 'clip', cell: ({ createdBy }) => createdBy },
          ],
        }),
  );
}

/** @param {string} caption @param {Listed[]} rows @param {ViewContext} context */
function requestTable(caption, rows, context) {
  return table({
    caption,
    rows,
    keyOf: ({ id }) => id,
    columns: [
      { name: 'Pick', class: 'narrow', cell: ({ id }) => pickBox(id, context), csv: {} },
      whenColumn(context),
      { name: 'State', cell: ({ state }) => statusBadge(state) },
      statusColumn,
      { name: 'Model', class: 'clip', cell: ({ model }) => model },
      {
        name: 'Creator',
        class: 'clip',
        cell: ({ createdBy, creatorName }) => [createdBy, nameText(creatorName)],
        csv: { Creator: ({ createdBy }) => createdBy, 'Creator name': ({ creatorName }) => creatorName },
      },
      { name: 'Tier', cell: ({ serviceTier }) => serviceTier },
      {
        name: 'Duration',
        isNumber: true,
        cell: ({ durationMs }) => ms(durationMs),
        csv: { 'Duration (ms)': ({ durationMs }) => durationMs },
      },
      {
        name: 'Response',
        isNumber: true,
        cell: ({ responseBytes }) => bytes(responseBytes),
        csv: { 'Response (bytes)': ({ responseBytes }) => responseBytes },
      },
      {
        name: 'Remarks',
        cell: ({ isStream, isIncomplete, notes }) => [
          isStream ? 'stream ' : null,
          isIncomplete ? el('span', { class: 'mark' }, 'incomplete') : null,
          notes,
        ],
      },
    ],
  });
}

/** @param {ViewContext} context @returns {import('../components/table.js').Column<Listed>} */
function whenColumn({ route }) {
  return {
    name: 'Arrived',
    isHead: true,
    class: 'nowrap',
    cell: ({ id, createdAt }) =>
      el('a', { href: hrefWith(route, { request: id, with: null }), 'aria-haspopup': 'dialog' }, timeText(createdAt)),
    csv: { Arrived: ({ createdAt }) => createdAt, Request: ({ id }) => id },
  };
}

/** @type {import('../components/table.js').Column<Listed>} */
const statusColumn = {
  name: 'Status',
  isNumber: true,
  cell: ({ responseStatus }) => (responseStatus === null ? '–' : `${responseStatus}`),
};

/** @param {ViewContext} context */
function compareLink({ route }) {
  const [one, other] = [...picked];
  return other === undefined
    ? el('span', { class: 'hint' }, picked.size === 1 ? 'Pick one more to compare' : null)
    : el(
        'a',
        { class: 'button primary', href: hrefWith(route, { request: one, with: other }), 'aria-haspopup': 'dialog' },
        'Compare the two',
      );
}

/** @param {string} id @param {ViewContext} context */
function pickBox(id, { route, go }) {
  return el('input', {
    type: 'checkbox',
    checked: picked.has(id),
    'aria-label': `Pick request ${id} for a comparison`,
    onChange: ({ currentTarget }) => {
      if (currentTarget.checked) picked.add(id);
      else picked.delete(id);
      // Two at most: the first one is deselected.
      while (picked.size > 2) picked.delete([...picked][0] ?? '');
      go(hrefWith(route, {}), { replace: true });
    },
  });
}
