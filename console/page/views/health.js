import { choiceFilter, pager, textFilter } from '../components/filters.js';
import { card, emptyState, idText, statusBadge, timeText } from '../components/parts.js';
import { table } from '../components/table.js';
import { get } from '../lib/api.js';
import { el } from '../lib/dom.js';
import { gamesCard, healthFigures } from './health-parts.js';

/** @typedef {import('../types.d.ts').HealthEvents} HealthEvents */
/** @typedef {import('../types.d.ts').RuntimeRecordPage} RuntimeRecordPage */
/** @typedef {import('../types.d.ts').ViewContext} ViewContext */

/** @type {import('../types.d.ts').View<{ health: HealthEvents, page: RuntimeRecordPage }>} */
export const health = {
  title: () => 'Health',
  hasWindow: false,
  async load({ params }, signal) {
    const filter = {
      status: params.get('status'),
      engineHealth: params.get('engine'),
      after: params.get('cursor'),
      limit: 50,
    };
    const [health, page] = await Promise.all([
      get('health-events', {}, signal),
      get('runtime-records', filter, signal),
    ]);
    return { health, page };
  },
  render({ health, page }, context) {
    return [
      card('Health events', { note: `stream ${health.stream}` }, healthFigures(health)),
      gamesCard(health, context.route),
      gameList(health, page, context),
    ];
  },
};

/** @param {HealthEvents} health @param {RuntimeRecordPage} page @param {ViewContext} context */
function gameList(health, page, context) {
  const { nowMs } = context;
  return card(
    'Games',
    { key: 'games' },
    el(
      'div',
      { class: 'filters', role: 'group', 'aria-label': 'Game filters' },
      choiceFilter(context, {
        name: 'status',
        label: 'Status',
        options: [
          { value: '', text: 'any' },
          ...Object.keys(health.games).map((value) => ({ value, text: value.replaceAll('_', ' ') })),
        ],
      }),
      textFilter(context, { name: 'engine', label: 'Engine health' }),
    ),
    page.records.length === 0
      ? emptyState('No games', 'No games match the filters.')
      : table({
          caption: 'Games and the state of their runtimes',
          rows: page.records,
          keyOf: ({ gameId }) => gameId,
          columns: [
            { name: 'Game', isHead: true, cell: ({ gameId }) => idText(gameId) },
            { name: 'Status', cell: ({ status }) => statusBadge(status) },
            {
              name: 'Engine',
              cell: ({ engineHealth }) => engineHealth || el('span', { class: 'quiet' }, 'not observed'),
            },
            {
              name: 'Turn',
              isNumber: true,
              cell: ({ currentTurn }) => `${currentTurn}`,
              csv: ({ currentTurn }) => currentTurn,
            },
            { name: 'Version', cell: ({ currentEngineVersion }) => currentEngineVersion || '–' },
            {
              name: 'Last event',
              class: 'nowrap',
              cell: ({ lastEvent }) => timeText(lastEvent?.occurredAt ?? null, nowMs),
            },
            {
              name: 'Changed',
              class: 'nowrap',
              cell: ({ updatedAt }) => timeText(updatedAt),
            },
          ],
        }),
    pager(context, page.after === null ? null : { cursor: page.after }),
  );
}
