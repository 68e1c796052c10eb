import { el } from '../lib/dom.js';
import { firstPage, hrefWith } from '../lib/route.js';
import { textInput } from './text-input.js';

/** @typedef {import('../types.d.ts').ViewContext} ViewContext */

/**
 * A text to filter by. The URL keeps what is typed.
 *
 * @param {ViewContext} context
 * @param {{ name: string, label: string, isLive?: boolean, list?: string, type?: 'search' | 'number' }} options isLive: applied
 *   with each key, otherwise when the field loses focus
 */
export function textFilter({ route, go }, { name, label, isLive = false, list, type = 'search' }) {
  /** @param {{ currentTarget: HTMLInputElement }} event */
  const change = ({ currentTarget }) =>
    go(hrefWith(route, { [name]: currentTarget.value.trim() || null, ...firstPage }), { replace: isLive });
  return labelled(
    name,
    label,
    textInput(route.params.get(name) ?? '', {
      id: idOf(name),
      type,
      step: type === 'number' ? 'any' : undefined,
      list,
      autocomplete: 'off',
      spellcheck: false,
      maxlength: 512,
      [isLive ? 'onInput' : 'onChange']: change,
    }),
  );
}

/**
 * @param {ViewContext} context
 * @param {{ name: string, label: string, options: readonly { value: string, text: string }[], fallback?: string }} options
 *   fallback: the value if the URL has none
 */
export function choiceFilter({ route, go }, { name, label, options, fallback = '' }) {
  const chosen = route.params.get(name) ?? fallback;
  return labelled(
    name,
    label,
    el(
      'select',
      {
        id: idOf(name),
        onChange: ({ currentTarget: { value } }) =>
          go(hrefWith(route, { [name]: value === fallback ? null : value, ...firstPage })),
      },
      options.map(({ value, text }) => el('option', { value, selected: value === chosen }, text)),
    ),
  );
}

/** @param {string} name */
function idOf(name) {
  return `filter-${name}`;
}

/**
 * @param {string} name
 * @param {string} label
 * @param {import('../lib/dom.js').Child} control
 */
function labelled(name, label, control) {
  return el('div', { class: 'filter', key: `filter ${name}` }, el('label', { for: idOf(name) }, label), control);
}

/**
 * Links to the next page, and back to the first.
 *
 * @param {ViewContext} context
 * @param {Record<string, string> | null} next the parameters of the next page; null if there is none
 */
export function pager({ route }, next) {
  const isFirst = !route.params.has('cursor');
  if (isFirst && next === null) return null;
  return el(
    'nav',
    { class: 'pager', 'aria-label': 'Pages' },
    isFirst ? null : el('a', { class: 'button', href: hrefWith(route, firstPage) }, 'First page'),
    next === null
      ? el('span', { class: 'quiet' }, 'This is the last page')
      : el('a', { class: 'button', href: hrefWith(route, next) }, 'Next page'),
  );
}
