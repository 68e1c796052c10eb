import { button } from '../components/parts.js';
import { logOut } from '../lib/api.js';
import { el } from '../lib/dom.js';
import { time } from '../lib/format.js';
import { firstPage, hrefTo, hrefWith } from '../lib/route.js';
import { windowName, windows } from '../lib/window.js';
import { customWindow } from './custom-window.js';
import { keyOfView } from './keys.js';
import { savedViewsMenu } from './saved-views.js';
import { entries } from './views.js';

/** @typedef {import('../lib/route.js').Route} Route */

/**
 * @param {object} state
 * @param {Route} state.route
 * @param {boolean} state.hasWindow
 * @param {boolean} state.isBusy
 * @param {boolean} state.isStale
 * @param {number | null} state.atMs
 * @param {import('../types.d.ts').Session | null} state.session
 * @param {() => void} state.refresh
 * @param {() => void} state.redraw
 * @param {() => void} state.showHelp
 * @param {import('../types.d.ts').ViewContext['announce']} state.announce
 * @param {import('../types.d.ts').ViewContext['go']} state.go
 */
export function renderHeader(state) {
  const { route, session } = state;
  const current = { strategy: 'strategies', 'request-compare': 'requests' }[route.view] ?? route.view;
  return [
    el(
      'div',
      { class: 'bar' },
      el('a', { class: 'brand', href: hrefTo(route, 'strategies') }, 'Sluice'),
      el(
        'nav',
        { class: 'views', 'aria-label': 'Views' },
        entries.map(([name, text]) =>
          el(
            'a',
            {
              href: hrefTo(route, name),
              'aria-current': name === current ? 'page' : undefined,
              'aria-keyshortcuts': keyOfView(name),
            },
            text,
          ),
        ),
        el('a', { href: 'queues' }, 'Bull Board'),
      ),
      session === null ? null : sessionPart(session),
    ),
    el(
      'div',
      { class: 'bar controls' },
      state.hasWindow ? windowPicker(state) : null,
      livePart(state),
      toolsPart(state),
    ),
  ];
}

/** @param {import('../types.d.ts').Session} session */
function sessionPart({ access, realm, needsToken }) {
  const text = access === 'realm' ? `realm ${realm}` : access === 'operator' ? 'operator' : 'read only';
  return el(
    'div',
    { class: 'session' },
    needsToken ? el('span', { class: 'badge' }, text) : null,
    needsToken ? button('Log out', () => void logOut().then(() => location.reload())) : null,
  );
}

/** @param {Parameters<typeof renderHeader>[0]} state */
function windowPicker({ route, go }) {
  const current = windowName(route);
  return el(
    'div',
    { class: 'window', role: 'group', 'aria-label': 'Window of time', key: 'window' },
    Object.entries(windows).map(([name, text]) =>
      el(
        'a',
        {
          href: hrefWith(route, { window: name, since: null, until: null, ...firstPage }),
          'aria-current': name === current ? 'true' : undefined,
        },
        text,
      ),
    ),
    customWindow({ route, go }, current === null),
  );
}

/** @param {Parameters<typeof renderHeader>[0]} state */
function toolsPart(state) {
  return el(
    'div',
    { class: 'tools', key: 'tools' },
    savedViewsMenu(state),
    button('?', state.showHelp, { describe: 'Keys of this page' }),
  );
}

/** @param {Parameters<typeof renderHeader>[0]} state */
function livePart({ route, isBusy, isStale, atMs, refresh }) {
  const isLive = route.params.get('live') !== 'off';
  return el(
    'div',
    { class: 'live', key: 'live' },
    el(
      'span',
      { class: `freshness${isStale ? ' stale' : ''}${isBusy ? ' busy' : ''}` },
      atMs === null ? 'no answer yet' : `${isStale ? 'not refreshed since' : 'as of'} ${time(atMs).slice(11)}`,
    ),
    el(
      'a',
      {
        class: 'button',
        href: hrefWith(route, { live: isLive ? 'off' : null }),
        'aria-label': isLive ? 'Live: on. Stop refreshing' : 'Live: off. Refresh automatically',
      },
      isLive ? 'Live: on' : 'Live: off',
    ),
    button('Refresh', refresh),
  );
}
