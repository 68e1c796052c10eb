/** The window of time that the figures cover, as in the URL. */

export const windows = /** @type {const} */ ({ '1h': '1 h', '24h': '24 h', '7d': '7 d', '30d': '30 d', all: 'all' });
const defaultWindow = '24h';

/**
 * @param {import('./route.js').Route} route
 * @returns {import('./api.js').Query}
 */
export function windowQuery({ params }) {
  const [since, until] = [params.get('since'), params.get('until')];
  if (since !== null || until !== null) return { since, until };
  return { window: params.get('window') ?? defaultWindow };
}

/** The window in words of the URL, also if the URL does not say it. @param {import('./route.js').Route} route @returns {Record<string, string>} */
export function windowParams(route) {
  const name = windowName(route);
  return name === null ? {} : { window: name };
}

/**
 * The name of the next longer window, or the next shorter one; null if there is none.
 *
 * @param {import('./route.js').Route} route
 * @param {1 | -1} step
 */
export function nextWindow(route, step) {
  const names = Object.keys(windows);
  const at = names.indexOf(windowName(route) ?? '');
  return at === -1 ? defaultWindow : (names[at + step] ?? null);
}

/** @param {import('./route.js').Route} route @returns {string | null} null: between two given times */
export function windowName({ params }) {
  return params.has('since') || params.has('until') ? null : (params.get('window') ?? defaultWindow);
}
