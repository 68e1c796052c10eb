import { choiceFilter, pager, textFilter } from '../components/filters.js';
import { button, card, emptyState, statusBadge, timeText } from '../components/parts.js';
import { table } from '../components/table.js';
import { get, post } from '../lib/api.js';
import { deadLetterStates } from '../lib/contract-lists.js';
import { el } from '../lib/dom.js';
import { count, counted } from '../lib/format.js';
import { firstPage, hrefTo, hrefWith } from '../lib/route.js';

/** @typedef {import('../types.d.ts').DeadLetterCauses} DeadLetterCauses */
/** @typedef {import('../types.d.ts').DeadLetterPage} DeadLetterPage */
/** @typedef {import('../types.d.ts').ViewContext} ViewContext */
/** @typedef {DeadLetterCauses['causes'][number]} Cause */

const states = [...deadLetterStates, 'all'].map((value) => ({ value, text: value }));

/** @type {import('../types.d.ts').View<{ causes: DeadLetterCauses, page: DeadLetterPage }>} */
export const deadLetters = {
  title: () => 'Dead letters',
  hasWindow: false,
  async load({ params }, signal) {
    const state = params.get('state') ?? 'open';
    const filter = {
      state: state === 'all' ? null : state,
      queue: params.get('queue'),
      signature: params.get('signature'),
    };
    const [causes, page] = await Promise.all([
      get('dead-letters/causes', { ...filter, limit: 50 }, signal),
      get('dead-letters', { ...filter, cursor: params.get('cursor'), limit: 25 }, signal),
    ]);
    return { causes, page };
  },
  render({ causes, page }, context) {
    const { route } = context;
    return [
      card(
        'By cause',
        { note: 'records that cannot be stored as they are, until a person replays or discards them' },
        el(
          'div',
          { class: 'filters', role: 'group', 'aria-label': 'Dead letter filters' },
          choiceFilter(context, { name: 'state', label: 'State', options: states, fallback: 'open' }),
          textFilter(context, { name: 'queue', label: 'Queue' }),
          route.params.has('signature')
            ? el('a', { class: 'button', href: hrefWith(route, { signature: null, ...firstPage }) }, 'All causes')
            : null,
        ),
        causes.causes.length === 0
          ? emptyState('No dead letters', 'There are no records to replay or discard.')
          : causeTable(causes.causes, context),
      ),
      page.deadLetters.length === 0 ? null : deadLetterCard(page, context),
    ];
  },
};

/** @param {Cause[]} rows @param {ViewContext} context */
function causeTable(rows, context) {
  const { route, nowMs } = context;
  return table({
    caption: 'Dead letters by cause, most numerous first',
    rows,
    keyOf: ({ queue, state, signature }) => JSON.stringify([queue, state, signature]),
    columns: [
      {
        name: 'Cause',
        isHead: true,
        class: 'wide',
        cell: ({ queue, signature, code, exampleReason }) => [
          el(
            'a',
            { href: hrefTo(route, 'dead-letters', { queue, signature, state: route.params.get('state') }) },
            signature,
          ),
          el('span', { class: 'message' }, `${code} in ${queue}; such as: ${exampleReason}`),
        ],
        csv: {
          Cause: ({ signature }) => signature,
          Code: ({ code }) => code,
          Queue: ({ queue }) => queue,
          'Example of a reason': ({ exampleReason }) => exampleReason,
        },
      },
      { name: 'State', cell: ({ state }) => statusBadge(state) },
      {
        name: 'Dead letters',
        isNumber: true,
        cell: ({ deadLetters }) => count(deadLetters),
        csv: ({ deadLetters }) => deadLetters,
      },
      { name: 'First seen', class: 'nowrap', cell: ({ firstSeen }) => timeText(firstSeen, nowMs) },
      { name: 'Last seen', class: 'nowrap', cell: ({ lastSeen }) => timeText(lastSeen, nowMs) },
      { name: 'Actions', class: 'nowrap', cell: (cause) => causeActions(cause, context), csv: {} },
    ],
  });
}

/** @param {Cause} cause @param {ViewContext} context */
function causeActions({ queue, signature, state, deadLetters }, context) {
  const what = counted(deadLetters, 'dead letter');
  return actions({ which: { queue, signature }, what, name: `${what} of ${signature}`, state }, context);
}

/** @param {DeadLetterPage} page @param {ViewContext} context */
function deadLetterCard(page, context) {
  const { route, nowMs } = context;
  return card(
    'Dead letters',
    { note: 'last seen first' },
    table({
      caption: 'Dead letters, last seen first',
      rows: page.deadLetters,
      keyOf: ({ id }) => id,
      columns: [
        {
          name: 'Last seen',
          isHead: true,
          class: 'nowrap',
          cell: ({ id, lastSeen }) =>
            el(
              'a',
              { href: hrefWith(route, { 'dead-letter': id }), 'aria-haspopup': 'dialog' },
              timeText(lastSeen, nowMs),
            ),
          csv: { 'Last seen': ({ lastSeen }) => lastSeen, 'Dead letter': ({ id }) => id },
        },
        { name: 'State', cell: ({ state }) => statusBadge(state) },
        { name: 'Queue', class: 'nowrap', cell: ({ queue }) => queue },
        {
          name: 'Reason',
          class: 'wide',
          cell: ({ code, reason }) => [el('b', null, code), el('span', { class: 'message' }, reason)],
          csv: { Code: ({ code }) => code, Reason: ({ reason }) => reason },
        },
        {
          name: 'Deaths',
          isNumber: true,
          cell: ({ attempts }) => count(attempts),
          csv: ({ attempts }) => attempts,
        },
        { name: 'Replays', isNumber: true, cell: ({ replays }) => count(replays), csv: ({ replays }) => replays },
        {
          name: 'Actions',
          class: 'nowrap',
          cell: (deadLetter) => deadLetterActions(deadLetter, context),
          csv: {},
        },
      ],
    }),
    pager(context, page.cursor === null ? null : { cursor: page.cursor }),
  );
}

/** @param {Pick<DeadLetterPage['deadLetters'][number], 'id' | 'state' | 'holdsRecord'>} deadLetter @param {ViewContext} context */
export function deadLetterActions({ id, state, holdsRecord }, context) {
  return actions(
    { which: { ids: [id] }, what: 'this dead letter', name: `dead letter ${id}`, state, holdsRecord },
    context,
  );
}

/**
 * The buttons for some dead letters of one state.
 *
 * @param {{ which: object, what: string, name: string, state: string, holdsRecord?: boolean }} selection which: for the API;
 *   what: in the question; name: for screen readers
 * @param {ViewContext} context
 */
function actions({ which, what, name, state, holdsRecord = true }, context) {
  if (!context.mayChange) return null;
  return [
    (state === 'open' || state === 'replayed') && holdsRecord
      ? button('Replay', () => void replay(context, { ...which, state }, what), { describe: `Replay ${name}` })
      : null,
    state === 'open'
      ? button('Discard', () => void discard(context, which, what), { kind: 'danger', describe: `Discard ${name}` })
      : null,
  ];
}

/** @param {ViewContext} context @param {object} which @param {string} what */
async function replay(context, which, what) {
  const isMeant = await context.confirm({
    title: `Replay ${what}?`,
    text: 'They go back into their queue unchanged. Nothing is stored twice. Records that still cannot be stored come back here.',
    action: 'Replay',
  });
  if (!isMeant) return;
  await act(context, async () => {
    const { replayed, skipped } = await post('dead-letters/replay', which);
    return `${count(replayed)} put back into the queue${skipped.length > 0 ? `, ${count(skipped.length)} hold no record and stay` : ''}`;
  });
}

/** @param {ViewContext} context @param {object} which @param {string} what */
async function discard(context, which, what) {
  const isMeant = await context.confirm({
    title: `Discard ${what}?`,
    text: 'They are discarded for good: they stay visible, but can no longer be replayed.',
    action: 'Discard',
    isDangerous: true,
  });
  if (!isMeant) return;
  await act(context, async () => {
    const { discarded } = await post('dead-letters/discard', which);
    return `${count(discarded)} discarded`;
  });
}

/** @param {ViewContext} context @param {() => Promise<string>} work */
async function act({ announce, refresh }, work) {
  try {
    announce(await work());
  } catch (error) {
    announce(error instanceof Error ? error.message : String(error), 'error');
  }
  refresh();
}
