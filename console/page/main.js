import { readRoute } from './lib/route.js';
import { createApp } from './shell/app.js';

/** The page's entry point: addresses become views. */

const part = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
const app = createApp({
  header: part('header'),
  main: part('view'),
  dialog: /** @type {HTMLDialogElement} */ (part('detail')),
  notices: { info: part('info'), error: part('error') },
  go,
});

/**
 * Goes to an address of the page without reloading it.
 *
 * @param {string} href
 * @param {{ replace?: boolean }} [options]
 */
function go(href, { replace = false } = {}) {
  // If the page is already there, replace the entry, as browsers do with links: going back must not lead to the same place.
  const { pathname, search } = new URL(href, location.href);
  const isHere = pathname + search === location.pathname + location.search;
  if (replace || isHere) history.replaceState(history.state, '', href);
  else history.pushState({ isOurs: true }, '', href);
  app.open(readRoute(location));
}

document.addEventListener('click', (event) => {
  const link = event.target instanceof Element ? event.target.closest('a') : null;
  const isPlain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
  if (link === null || !isPlain || event.defaultPrevented || link.target !== '') return;
  const url = new URL(link.href);
  if (url.origin !== location.origin || url.pathname !== location.pathname || url.hash !== '') return;
  event.preventDefault();
  go(url.pathname + url.search);
});
addEventListener('popstate', () => app.open(readRoute(location)));
app.open(readRoute(location));
