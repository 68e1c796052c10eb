import { emptyState, nameText } from '../components/parts.js';
import { get } from '../lib/api.js';
import { el } from '../lib/dom.js';
import { time } from '../lib/format.js';
import { hrefTo } from '../lib/route.js';
import { windowQuery } from '../lib/window.js';
import { durationCard, latencyCard, pointsCard, statusMixCard } from './strategy-charts.js';
import { executionsCard, executionsQuery } from './strategy-executions.js';
import { absentNote, keyFigures } from './strategy-figures.js';
import { caseCard, errorCard, nodesCard } from './strategy-outcomes.js';

/** @typedef {import('../types.d.ts').Strategy} Strategy */
/** @typedef {import('../types.d.ts').ExecutionPage} ExecutionPage */

/** @type {import('../types.d.ts').View<{ figures: Strategy, page: ExecutionPage }>} */
export const strategy = {
  title: ({ params }) => params.get('id') ?? 'Strategy',
  hasWindow: true,
  async load(route, signal) {
    const id = route.params.get('id') ?? '';
    const [figures, page] = await Promise.all([
      get('strategy', { strategyId: id, ...windowQuery(route) }, signal),
      get('executions', executionsQuery(route, id), signal),
    ]);
    return { figures, page };
  },
  render({ figures, page }, context) {
    const { route } = context;
    const head = el(
      'p',
      { class: 'subject', key: 'subject' },
      nameText(figures.strategyName),
      el('span', { class: 'quiet' }, `${time(figures.window.since)} to ${time(figures.window.until)} `),
      el('a', { href: hrefTo(route, 'compare', { a: figures.strategyId }) }, 'Compare with another'),
    );
    if (figures.summary.total.rows === 0) {
      return [
        head,
        absentNote(figures.absent, route),
        emptyState(
          'Nothing ran in this window',
          'Choose a longer one. An ok run is stored only when it is sampled; a failed one always is.',
        ),
        executionsCard(page, context),
      ];
    }
    return [
      head,
      absentNote(figures.absent, route),
      keyFigures(figures),
      el(
        'div',
        { class: 'grid two', key: 'over time' },
        statusMixCard(figures, context),
        latencyCard(figures, context),
      ),
      el('div', { class: 'grid two', key: 'distributions' }, durationCard(figures), pointsCard(figures)),
      el(
        'div',
        { class: 'grid three', key: 'outcomes' },
        errorCard(figures, route),
        caseCard(figures, route),
        nodesCard(figures),
      ),
      executionsCard(page, context),
    ];
  },
};
