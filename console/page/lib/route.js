/**
 * The URL holds everything that is shown, so that it can be shared and found again: the view, its window and its filters.
 * `./?view=strategy&id=…&window=7d&status=timeout`, relative, because the console may be at a sub-path.
 */

/** @typedef {{ view: string, params: URLSearchParams }} Route */

const defaultView = 'strategies';

/** Parameters that carry over from view to view. */
const shared = ['window', 'since', 'until', 'live'];

/** Parameters that return to the first page of a list, as each filter does. */
export const firstPage = { cursor: null, pageUntil: null };

/**
 * @param {URL | Location} location
 * @returns {Route}
 */
export function readRoute(location) {
  const params = new URLSearchParams(location.search);
  return { view: params.get('view') ?? defaultView, params };
}

/**
 * The address of another view, with the same window.
 *
 * @param {Route} from
 * @param {string} view
 * @param {Record<string, string | null | undefined>} [params]
 */
export function hrefTo(from, view, params = {}) {
  const kept = shared.flatMap((name) => {
    const value = from.params.get(name);
    return value === null ? [] : [[name, value]];
  });
  return toHref({ view: view === defaultView ? null : view, ...params, ...without(Object.fromEntries(kept), params) });
}

/**
 * The address of this view with some parameters changed; null removes one.
 *
 * @param {Route} from
 * @param {Record<string, string | null | undefined>} changes
 */
export function hrefWith(from, changes) {
  return toHref({ ...Object.fromEntries(from.params), ...changes });
}

/**
 * The address of this view as a link for others: what the page shows by default is said, so that it stays as it is. A window such
 * as the last 24 hours stays one that ends now; one between two times stays between them.
 *
 * @param {Route} route
 * @param {Record<string, string>} defaults what is shown if the address does not say
 */
export function toLink({ view, params }, defaults) {
  return toHref({ view, ...defaults, ...Object.fromEntries(params) });
}

/**
 * @param {Record<string, string>} all
 * @param {object} those
 */
function without(all, those) {
  return Object.fromEntries(Object.entries(all).filter(([name]) => !(name in those)));
}

/** @param {Record<string, string | null | undefined>} params */
function toHref(params) {
  const given = Object.entries(params).flatMap(([name, value]) =>
    value == null || value === '' ? [] : [[name, value]],
  );
  const search = new URLSearchParams(given).toString();
  return search === '' ? './' : `./?${search}`;
}
