/**
 * What is shown stands in the URL, so that it can be sent to somebody and found again: the view, its window and its
 * filters. `./?view=strategy&id=…&window=7d&status=timeout`, relative, as the console may be at a sub-path.
 */

/** @typedef {{ view: string, params: URLSearchParams }} Route */

const defaultView = 'strategies';

/** What is carried from view to view. */
const shared = ['window', 'since', 'until', 'live'];

/** What leads to the first page of a list again: each filter does. */
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
 * The address of another view, with the window of this one.
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
 * The address of this view with some parameters changed; null takes one away.
 *
 * @param {Route} from
 * @param {Record<string, string | null | undefined>} changes
 */
export function hrefWith(from, changes) {
  return toHref({ ...Object.fromEntries(from.params), ...changes });
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
