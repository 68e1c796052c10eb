import { choiceFilter, textFilter } from '../components/filters.js';
import { card } from '../components/parts.js';
import { textInput } from '../components/text-input.js';
import { requestStates, serviceTiers, statusClasses } from '../lib/contract-lists.js';
import { el } from '../lib/dom.js';
import { firstPage, hrefWith } from '../lib/route.js';

/** @typedef {import('../types.d.ts').ViewContext} ViewContext */
/** @typedef {import('../lib/route.js').Route} Route */

/** The filters of figures and list, as in the URL, and what the API calls them. */
const names = {
  model: 'model',
  creator: 'createdBy',
  provider: 'provider',
  endpoint: 'endpoint',
  api: 'api',
  class: 'statusClass',
  tier: 'serviceTier',
};

/** Those that only the list has. */
const listNames = ['state', 'trace', 'text'];

export const noFilter = Object.fromEntries([...Object.keys(names), ...listNames].map((name) => [name, null]));

/** @param {Route} route @returns {import('../lib/api.js').Query} */
export function filterQuery({ params }) {
  return Object.fromEntries(Object.entries(names).map(([name, field]) => [field, params.get(name)]));
}

/** @param {readonly string[]} values */
function choices(values) {
  return [{ value: '', text: 'any' }, ...values.map((value) => ({ value, text: value }))];
}

/** @param {ViewContext} context */
export function requestFilters(context) {
  const { route } = context;
  const hasFilter = Object.keys(noFilter).some((name) => route.params.has(name));
  return card(
    'Which requests',
    { key: 'filters', note: 'figures and list; state, trace and text apply to the list only' },
    el(
      'div',
      { class: 'filters', role: 'group', 'aria-label': 'Request filters' },
      textFilter(context, { name: 'model', label: 'Model' }),
      textFilter(context, { name: 'creator', label: 'Creator' }),
      textFilter(context, { name: 'provider', label: 'Provider' }),
      textFilter(context, { name: 'endpoint', label: 'Endpoint' }),
      choiceFilter(context, { name: 'class', label: 'Response', options: choices(statusClasses) }),
      choiceFilter(context, { name: 'tier', label: 'Tier', options: choices(serviceTiers) }),
      choiceFilter(context, { name: 'state', label: 'State', options: choices(requestStates) }),
      textFilter(context, { name: 'trace', label: 'Trace id' }),
      textFilter(context, { name: 'text', label: 'Text in bodies' }),
      findById(context),
      hasFilter ? el('a', { class: 'button', href: hrefWith(route, { ...noFilter, ...firstPage }) }, 'Clear') : null,
    ),
  );
}

/** Opens the request of an id. @param {ViewContext} context */
function findById({ route, go }) {
  /** @param {import('preact').TargetedSubmitEvent<HTMLFormElement>} event */
  const onSubmit = (event) => {
    event.preventDefault();
    const id = String(new FormData(event.currentTarget).get('id')).trim().toLowerCase();
    go(hrefWith(route, { request: id }));
  };
  return el(
    'form',
    { class: 'filter', onSubmit, key: 'find by id' },
    el('label', { for: 'find-request' }, 'Open by id'),
    textInput('', {
      id: 'find-request',
      name: 'id',
      required: true,
      pattern: '\\s*[0-9a-fA-F\\-]{36}\\s*',
      maxlength: 40,
      autocomplete: 'off',
      spellcheck: false,
      title: 'The id of a request, a UUID',
    }),
  );
}
