import { boundedList } from '../components/bounded-list.js';
import { turnArticle } from '../components/conversation.js';
import { folded } from '../components/folded.js';
import { longText, shortText } from '../components/long-text.js';
import { button, card, emptyState, idText, timeText } from '../components/parts.js';
import { table } from '../components/table.js';
import { compareFields, compareTexts, compareTurns } from '../lib/conversation/differences.js';
import { textOfTurn } from '../lib/conversation/turn-text.js';
import { el } from '../lib/dom.js';
import { count, counted } from '../lib/format.js';
import { hrefWith } from '../lib/route.js';

/** @typedef {import('../types.d.ts').ViewContext} ViewContext */
/** @typedef {import('./request.js').ReadRequest} ReadRequest */
/** @typedef {import('../lib/conversation/differences.js').TurnDifference} TurnDifference */
/** @typedef {import('../lib/dom.js').Child} Child */

/**
 * How the conversation of another request differs from that of this one, and its settings.
 *
 * @param {ReadRequest} one
 * @param {ReadRequest} other
 * @param {ViewContext} context
 */
export function differenceCards(one, other, { route, go }) {
  const turns = compareTurns(one.said.turns, other.said.turns);
  const changed = turns.filter(({ kind }) => kind !== 'same').length;
  const settings = compareFields(one.said.settings, other.said.settings);
  const name = (/** @type {ReadRequest} */ { request }) => [
    idText(request.id),
    ' ',
    timeText(request.createdAt),
    ' ',
    shortText(request.model, 60),
  ];
  return [
    card(
      'Difference',
      {
        key: 'difference',
        note:
          changed === 0
            ? 'the turns are the same'
            : `${counted(changed, 'turn')} of ${count(turns.length)} differ; j and k go from turn to turn`,
        actions: button('Swap', () =>
          go(hrefWith(route, { request: other.request.id, with: one.request.id }), { replace: true }),
        ),
      },
      el(
        'p',
        { class: 'versus' },
        el('span', null, el('b', null, 'A '), name(one)),
        el('span', null, el('b', null, 'B '), name(other)),
      ),
      turns.length === 0
        ? emptyState('Nothing to compare', 'Neither of the requests says anything.')
        : el(
            'div',
            { class: 'turns' },
            boundedList({
              length: turns.length,
              first: 30,
              last: 10,
              name: 'turns',
              item: (index) => differenceItem(turns, index),
            }),
          ),
    ),
    settings.length === 0
      ? null
      : card(
          'Settings that differ',
          { key: 'settings' },
          table({
            caption: 'Settings of A and B that differ',
            rows: settings,
            keyOf: (row) => row.name,
            columns: [
              { name: 'Setting', isHead: true, cell: (row) => shortText(row.name), csv: (row) => row.name },
              { name: 'A', class: 'wide', cell: (row) => valueText(row.a), csv: (row) => row.a },
              { name: 'B', class: 'wide', cell: (row) => valueText(row.b), csv: (row) => row.b },
            ],
          }),
        ),
  ];
}

/** @param {string | null} value */
function valueText(value) {
  return value === null
    ? el('span', { class: 'quiet' }, 'not set')
    : longText(value, { name: 'value', isCode: true, first: 500 });
}

/** @param {TurnDifference[]} turns @param {number} index @returns {Child} */
function differenceItem(turns, index) {
  const { kind, a, b } = turns[index] ?? { kind: 'same', a: null, b: null };
  const turn = b ?? a;
  if (turn === null) return null;
  const label = `Turn ${count(index + 1)} of ${count(turns.length)}, ${labels[kind]}`;
  return el(
    'div',
    { class: `difference ${kind}`, key: `${index}` },
    el('p', { class: 'difference-name' }, labels[kind]),
    kind === 'same'
      ? turnArticle(
          turn,
          label,
          folded([el('small', null, shortText(textOfTurn(turn).slice(0, 200), 80))], () =>
            longText(textOfTurn(turn), { name: 'turn' }),
          ),
        )
      : kind === 'changed' && a !== null && b !== null
        ? turnArticle(turn, label, changedText(textOfTurn(a), textOfTurn(b)))
        : turnArticle(turn, label),
  );
}

const labels = { same: 'the same', changed: 'changed', removed: 'only in A', added: 'only in B' };

const tags = /** @type {const} */ ({ same: 'div', removed: 'del', added: 'ins' });

/** @param {string} a @param {string} b */
function changedText(a, b) {
  const segments = compareTexts(a, b);
  return el(
    'div',
    { class: 'changed-text', dir: 'auto' },
    boundedList({
      length: segments.length,
      first: 400,
      last: 20,
      name: 'pieces',
      item: (index) => {
        const { kind, text } = segments[index] ?? { kind: 'same', text: '' };
        const content = longText(text, {
          name: kind === 'same' ? 'same text' : `${kind} text`,
          first: kind === 'same' ? 2_000 : 4_000,
        });
        return el(tags[kind], { key: `${index}` }, content);
      },
    }),
  );
}
