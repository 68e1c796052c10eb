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

/** @param {import('./route.js').Route} route @returns {string | null} null: between two given times */
export function windowName({ params }) {
  return params.has('since') || params.has('until') ? null : (params.get('window') ?? defaultWindow);
}
