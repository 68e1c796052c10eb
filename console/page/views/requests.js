import { emptyState } from '../components/parts.js';
import { get } from '../lib/api.js';
import { el } from '../lib/dom.js';
import { time } from '../lib/format.js';
import { windowQuery } from '../lib/window.js';
import { costCard, firstTokenCard, latencyCard, statusClassCard, tokensCard } from './request-charts.js';
import { requestFigures } from './request-figures.js';
import { filterQuery, requestFilters } from './request-filters.js';
import { groupsCard, groupsQuery } from './request-groups.js';
import { lastFailuresCard, listQuery, requestListCard } from './request-list.js';

/** @typedef {import('../types.d.ts').RequestPage} RequestPage */
/** @typedef {import('../types.d.ts').RequestStats} RequestStats */

/** @type {import('../types.d.ts').View<{ stats: RequestStats | null, page: RequestPage }>} */
export const requests = {
  title: () => 'Requests',
  hasWindow: true,
  async load(route, signal) {
    const { params } = route;
    // Further pages, and what a search finds, are lists: the figures of the window are on the first page.
    const isList = params.has('cursor') || params.has('text') || params.has('trace') || params.has('state');
    const [stats, page] = await Promise.all([
      isList
        ? null
        : get('requests/stats', { ...windowQuery(route), ...filterQuery(route), ...groupsQuery(route) }, signal),
      get('requests', listQuery(route, Date.now()), signal),
    ]);
    return { stats, page };
  },
  render({ stats, page }, context) {
    const filters = requestFilters(context);
    if (stats === null) return [filters, requestListCard(page, context)];
    const head = el(
      'p',
      { class: 'subject', key: 'subject' },
      el('span', { class: 'quiet' }, `${time(stats.window.since)} to ${time(stats.window.until)}`),
    );
    if (stats.summary.requests === 0) {
      return [
        head,
        filters,
        emptyState('No requests in this window', 'Choose a longer one, or other filters.'),
        requestListCard(page, context),
      ];
    }
    return [
      head,
      filters,
      requestFigures(stats),
      el('div', { class: 'grid two', key: 'over time' }, statusClassCard(stats, context), latencyCard(stats, context)),
      el('div', { class: 'grid two', key: 'first token' }, tokensCard(stats, context), costCard(stats, context)),
      el(
        'div',
        { class: stats.summary.firstTokenMs.p50.rows > 0 ? 'grid two' : 'grid', key: 'first tokens' },
        firstTokenCard(stats, context),
        lastFailuresCard(stats, context),
      ),
      groupsCard(stats, context),
      requestListCard(page, context),
    ];
  },
};
