import { textFilter } from '../components/filters.js';
import { card, emptyState } from '../components/parts.js';
import { get } from '../lib/api.js';
import { el } from '../lib/dom.js';
import { hrefTo, hrefWith } from '../lib/route.js';
import { windowQuery } from '../lib/window.js';
import { deltaTable, sideBySide } from './compare-parts.js';
import { absentNote } from './strategy-figures.js';

/** @typedef {import('../types.d.ts').Comparison} Comparison */
/** @typedef {import('../types.d.ts').StrategyList} StrategyList */

/** @type {import('../types.d.ts').View<{ known: StrategyList, comparison: Comparison | null }>} */
export const compare = {
  title: () => 'Compare',
  hasWindow: true,
  async load(route, signal) {
    const [a, b] = [route.params.get('a'), route.params.get('b')];
    const [known, comparison] = await Promise.all([
      get('strategies', { ...windowQuery(route), limit: 200 }, signal),
      a && b ? get('comparison', { a, b, ...windowQuery(route) }, signal) : null,
    ]);
    return { known, comparison };
  },
  render({ known, comparison }, context) {
    const { route } = context;
    const [a, b] = [route.params.get('a'), route.params.get('b')];
    const picker = card(
      'Two strategies',
      { note: 'B is compared with A' },
      el(
        'div',
        { class: 'filters pair', role: 'group', 'aria-label': 'The strategies to compare' },
        textFilter(context, { name: 'a', label: 'A', list: 'known-strategies' }),
        textFilter(context, { name: 'b', label: 'B', list: 'known-strategies' }),
        a && b ? el('a', { class: 'button', href: hrefWith(route, { a: b, b: a }) }, 'Swap') : null,
        el(
          'datalist',
          { id: 'known-strategies' },
          known.strategies.map(({ strategyId, strategyName }) =>
            el('option', {
              value: strategyId,
              label: strategyName === null ? undefined : `${strategyId} ${strategyName}`,
            }),
          ),
        ),
      ),
    );
    if (comparison === null) {
      return [
        picker,
        emptyState(
          'Name two strategies',
          'Type or choose an id for A and for B, or pick two in the list.',
          el('a', { class: 'button', href: hrefTo(route, 'strategies') }, 'Go to the list'),
        ),
      ];
    }
    if (a === b)
      return [
        picker,
        emptyState('The same strategy twice', 'A strategy does not differ from itself. Choose another one for B.'),
      ];
    // The window is the same, and so is what it lacks.
    return [
      picker,
      absentNote(withoutRate(comparison.a.absent), route),
      deltaTable(comparison, route),
      sideBySide(comparison),
    ];
  },
};

/**
 * Of two strategies, each has a range of its own.
 *
 * @param {Comparison['a']['absent']} absent
 */
function withoutRate(absent) {
  return absent && { ...absent, failureRate: null };
}
