import { firstPage, hrefWith } from '../lib/route.js';

/**
 * Zooms into the selected span of time.
 *
 * @param {import('../types.d.ts').ViewContext} context
 */
export function zoom({ route, go }) {
  return (/** @type {number} */ since, /** @type {number} */ until) => {
    const [from, to] = [since, until].map((seconds) => new Date(Math.round(seconds) * 1_000).toISOString());
    if (from !== to) go(hrefWith(route, { since: from, until: to, window: null, ...firstPage }));
  };
}
