import { choiceFilter, pager, textFilter } from '../components/filters.js';
import { card, emptyState, nameText, statusBadge, timeText } from '../components/parts.js';
import { table } from '../components/table.js';
import { get } from '../lib/api.js';
import { requestStates, statusClasses } from '../lib/contract-lists.js';
import { el } from '../lib/dom.js';
import { bytes, ms } from '../lib/format.js';
import { hrefWith } from '../lib/route.js';

/** @typedef {import('../types.d.ts').RequestPage} RequestPage */

/** @param {readonly string[]} values */
function choices(values) {
  return [{ value: '', text: 'any' }, ...values.map((value) => ({ value, text: value }))];
}

/** @type {import('../types.d.ts').View<RequestPage>} */
export const requests = {
  title: () => 'Requests',
  hasWindow: false,
  load: ({ params }, signal) =>
    get(
      'requests',
      {
        state: params.get('state'),
        statusClass: params.get('class'),
        model: params.get('model'),
        createdBy: params.get('creator'),
        traceId: params.get('trace'),
        cursor: params.get('cursor'),
        limit: 50,
      },
      signal,
    ),
  render(page, context) {
    const { route } = context;
    return [
      card(
        'Completed requests',
        { note: 'in progress first, then newest first' },
        el(
          'div',
          { class: 'filters', role: 'group', 'aria-label': 'Request filters' },
          choiceFilter(context, { name: 'state', label: 'State', options: choices(requestStates) }),
          choiceFilter(context, { name: 'class', label: 'Response', options: choices(statusClasses) }),
          textFilter(context, { name: 'model', label: 'Model' }),
          textFilter(context, { name: 'creator', label: 'Creator' }),
          textFilter(context, { name: 'trace', label: 'Trace id' }),
        ),
        page.requests.length === 0
          ? emptyState('No requests', 'No stored requests match the filters.')
          : table({
              caption: 'Requests, in progress first, then newest first',
              rows: page.requests,
              keyOf: ({ id }) => id,
              columns: [
                {
                  name: 'Arrived',
                  isHead: true,
                  class: 'nowrap',
                  cell: ({ id, createdAt }) =>
                    el('a', { href: hrefWith(route, { request: id }), 'aria-haspopup': 'dialog' }, timeText(createdAt)),
                  csv: { Arrived: ({ createdAt }) => createdAt, Request: ({ id }) => id },
                },
                { name: 'State', cell: ({ state }) => statusBadge(state) },
                {
                  name: 'Status',
                  isNumber: true,
                  cell: ({ responseStatus }) => (responseStatus === null ? '–' : `${responseStatus}`),
                  csv: ({ responseStatus }) => responseStatus,
                },
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
            }),
        pager(context, page.cursor === null ? null : { cursor: page.cursor }),
      ),
    ];
  },
};
