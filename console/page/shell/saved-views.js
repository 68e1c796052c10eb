import { button } from '../components/parts.js';
import { el } from '../lib/dom.js';
import { firstPage, hrefWith, toLink } from '../lib/route.js';
import { createSavedViews, longestName } from '../lib/saved-views.js';
import { windowParams } from '../lib/window.js';
import { detailParams } from './detail.js';

/** @typedef {import('../types.d.ts').ViewContext} ViewContext */
/** @typedef {Pick<ViewContext, 'route' | 'announce'> & { hasWindow: boolean, redraw(): void }} MenuContext */

const saved = createSavedViews(location, () => localStorage);

/** What the address says of an item that is open over the view, or of a page of a list, is no part of a view to come back to. */
const passing = { ...Object.fromEntries(detailParams.map((name) => [name, null])), ...firstPage };

/**
 * A link to what is shown, and the views that the reader has named.
 *
 * @param {MenuContext} context
 */
export function savedViewsMenu(context) {
  const { announce, redraw } = context;
  /** @param {import('preact').TargetedKeyboardEvent<HTMLDetailsElement>} event */
  const onKeyDown = ({ key, currentTarget }) => {
    if (key !== 'Escape' || !currentTarget.open) return;
    currentTarget.open = false;
    currentTarget.querySelector('summary')?.focus();
  };
  /** @param {import('preact').TargetedSubmitEvent<HTMLFormElement>} event */
  const onSubmit = (event) => {
    event.preventDefault();
    const form = event.currentTarget;
    const name = String(new FormData(form).get('name')).trim();
    const problem = saved.save({ name, search: new URL(linkWithout(context), location.href).search });
    announce(problem ?? `Saved this view as “${name}”`, problem === null ? 'info' : 'error');
    if (problem === null) form.reset();
    redraw();
  };
  /** @param {string} name */
  const remove = (name) => {
    const problem = saved.remove(name);
    announce(problem ?? `Removed the view “${name}”`, problem === null ? 'info' : 'error');
    redraw();
  };
  return el(
    'details',
    // Other tabs may have changed them.
    { class: 'saved-views', onKeyDown, onToggle: redraw },
    el('summary', { class: 'button' }, 'Views'),
    el(
      'div',
      { class: 'menu' },
      el(
        'p',
        null,
        button('Copy link', () => void copyLink(context), { describe: 'Copy link to this view' }),
      ),
      el(
        'ul',
        { 'aria-label': 'Saved views' },
        saved.list().map((view) => savedItem(view, remove)),
      ),
      el(
        'form',
        { onSubmit },
        el(
          'label',
          null,
          el('span', null, 'Save this view as'),
          el('input', { name: 'name', required: true, maxlength: longestName, autocomplete: 'off' }),
        ),
        el('button', { type: 'submit', class: 'button' }, 'Save'),
      ),
      el('p', { class: 'note' }, 'Saved in this browser only.'),
    ),
  );
}

/** @param {import('../lib/saved-views.js').SavedView} view @param {(name: string) => void} remove */
function savedItem({ name, search }, remove) {
  return el(
    'li',
    { key: name },
    el(
      'a',
      {
        href: `./${search}`,
        onClick: ({ currentTarget }) => currentTarget.closest('details')?.removeAttribute('open'),
      },
      el('bdi', null, name),
    ),
    button('Remove', () => remove(name), { describe: `Remove the view ${name}`, kind: 'small' }),
  );
}

/**
 * Copies a link to what is shown, items that are open over the view included.
 *
 * @param {Pick<MenuContext, 'route' | 'announce' | 'hasWindow'>} context
 */
export async function copyLink({ route, announce, hasWindow }) {
  const link = new URL(toLink(route, hasWindow ? windowParams(route) : {}), location.href).href;
  try {
    await navigator.clipboard.writeText(link);
    announce('Copied a link to this view');
  } catch {
    // Refused, or the address is not secure: what is in the address bar leads here, too.
    announce('The browser does not allow the page to copy. Copy the address of the page instead', 'error');
  }
}

/** @param {MenuContext} context */
function linkWithout({ route, hasWindow }) {
  const { searchParams } = new URL(hrefWith(route, passing), location.href);
  return toLink({ view: route.view, params: searchParams }, hasWindow ? windowParams(route) : {});
}
