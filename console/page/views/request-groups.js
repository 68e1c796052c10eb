import { choiceFilter } from '../components/filters.js';
import { shortText } from '../components/long-text.js';
import { card, emptyState } from '../components/parts.js';
import { table } from '../components/table.js';
import { requestDimensions, requestOrders } from '../lib/contract-lists.js';
import { el } from '../lib/dom.js';
import { compact, count, counted, ms, nothing, percent } from '../lib/format.js';
import { moneys } from '../lib/money.js';
import { firstPage, hrefTo, hrefWith } from '../lib/route.js';

/** @typedef {import('../types.d.ts').RequestStats} RequestStats */
/** @typedef {import('../types.d.ts').ViewContext} ViewContext */
/** @typedef {NonNullable<RequestStats['groups']>['groups'][number]} Group */

/** What the groups are called, and the filter that a group leads to. */
const dimensions = {
  model: { text: 'model', filter: 'model' },
  provider: { text: 'provider', filter: 'provider' },
  api: { text: 'shape of the bodies', filter: 'api' },
  createdBy: { text: 'creator', filter: 'creator' },
  endpoint: { text: 'endpoint', filter: 'endpoint' },
  statusClass: { text: 'status class', filter: 'class' },
  serviceTier: { text: 'tier', filter: 'tier' },
};

const orders = { requests: 'most requests', failures: 'most failures', tokens: 'most tokens', cost: 'highest cost' };

const usual = { by: 'model', sort: 'requests' };

/** Two selected models, kept while the page is open. */
/** @type {Set<string>} */
const picked = new Set();

/** @param {import('../lib/route.js').Route} route @returns {import('../lib/api.js').Query} */
export function groupsQuery({ params }) {
  return { by: params.get('by') ?? usual.by, sort: params.get('sort') ?? usual.sort, top: 20 };
}

/** @param {RequestStats} stats @param {ViewContext} context */
export function groupsCard({ groups: found, summary }, context) {
  if (found === null) return null;
  const { by, groups, others } = found;
  return card(
    `By ${dimensions[by].text}`,
    {
      key: 'groups',
      note: others.groups > 0 ? `${counted(others.groups, 'other')} with ${counted(others.requests, 'request')}` : null,
      actions: [
        choiceFilter(context, {
          name: 'by',
          label: 'By',
          fallback: usual.by,
          options: requestDimensions.map((value) => ({ value, text: dimensions[value].text })),
        }),
        choiceFilter(context, {
          name: 'sort',
          label: 'Order',
          fallback: usual.sort,
          options: requestOrders.map((value) => ({ value, text: orders[value] })),
        }),
        compareLinks(by, context),
      ],
    },
    groups.length === 0
      ? emptyState('No groups', 'Nothing arrived in this window.')
      : table({
          caption: `Requests by ${dimensions[by].text}`,
          rows: groups,
          keyOf: ({ key }) => JSON.stringify(key),
          columns: [
            ...(by === 'model'
              ? [
                  {
                    name: 'Pick',
                    class: 'narrow',
                    cell: (/** @type {Group} */ { key }) => pickBox(key, context),
                    csv: {},
                  },
                ]
              : []),
            {
              name: dimensions[by].text.replace(/^./, (letter) => letter.toUpperCase()),
              isHead: true,
              class: 'wide-name',
              cell: ({ key }) => keyCell(by, key, context),
              csv: ({ key }) => key,
            },
            {
              name: 'Requests',
              isNumber: true,
              cell: ({ requests }) => [
                compact(requests),
                el('small', null, ` ${percent(requests / summary.requests)}`),
              ],
              csv: ({ requests }) => requests,
            },
            { name: 'Failed', isNumber: true, cell: ({ states }) => count(states.failed) },
            {
              name: 'Failure rate',
              isNumber: true,
              cell: ({ failureRate }) => percent(failureRate.value),
              csv: ({ failureRate }) => failureRate.value,
            },
            {
              name: 'p50',
              isNumber: true,
              cell: ({ latencyMs }) => ms(latencyMs.completed.p50.value),
              csv: { 'p50 (ms)': ({ latencyMs }) => latencyMs.completed.p50.value },
            },
            {
              name: 'p95',
              isNumber: true,
              cell: ({ latencyMs }) => ms(latencyMs.completed.p95.value),
              csv: { 'p95 (ms)': ({ latencyMs }) => latencyMs.completed.p95.value },
            },
            {
              name: 'First token',
              isNumber: true,
              cell: ({ firstTokenMs }) => ms(firstTokenMs.p50.value),
              csv: { 'First token p50 (ms)': ({ firstTokenMs }) => firstTokenMs.p50.value },
            },
            {
              name: 'Tokens in',
              isNumber: true,
              cell: ({ tokens }) => compact(tokens.input),
              csv: ({ tokens }) => tokens.input,
            },
            {
              name: 'Tokens out',
              isNumber: true,
              cell: ({ tokens }) => compact(tokens.output),
              csv: ({ tokens }) => tokens.output,
            },
            {
              name: 'Cost',
              isNumber: true,
              cell: ({ cost }) => [
                moneys(cost.amounts),
                cost.withoutPrice > 0
                  ? el(
                      'span',
                      { class: 'mark', title: `${count(cost.withoutPrice)} requests without a price` },
                      'in part',
                    )
                  : null,
              ],
              csv: ({ cost }) => cost.amounts.map(({ currency, amount }) => `${amount} ${currency}`).join(' + '),
            },
          ],
        }),
  );
}

/** @param {keyof typeof dimensions} by @param {string | null} key @param {ViewContext} context */
function keyCell(by, key, { route }) {
  if (key === null) return el('span', { class: 'quiet' }, by === 'statusClass' ? 'no response' : 'unknown');
  return el(
    'a',
    { class: 'id', href: hrefWith(route, { [dimensions[by].filter]: key, ...firstPage }), title: key },
    key === '' ? nothing : shortText(key, 80),
  );
}

/** @param {string} by @param {ViewContext} context */
function compareLinks(by, { route }) {
  const [a, b] = [...picked];
  const before = el(
    'a',
    { class: 'button', href: hrefTo(route, 'request-compare', { model: route.params.get('model') }) },
    'Compare with the time before',
  );
  if (by !== 'model') return before;
  return [
    before,
    b === undefined
      ? el('span', { class: 'hint' }, 'or pick two models')
      : el('a', { class: 'button primary', href: hrefTo(route, 'request-compare', { a, b }) }, 'Compare the two'),
  ];
}

/** @param {string | null} model @param {ViewContext} context */
function pickBox(model, { route, go }) {
  if (model === null) return null;
  return el('input', {
    type: 'checkbox',
    checked: picked.has(model),
    'aria-label': `Pick ${model} for a comparison`,
    onChange: ({ currentTarget }) => {
      if (currentTarget.checked) picked.add(model);
      else picked.delete(model);
      // Two at most: the first one is deselected.
      while (picked.size > 2) picked.delete([...picked][0] ?? '');
      go(hrefWith(route, {}), { replace: true });
    },
  });
}
