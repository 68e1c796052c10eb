import { render } from '../../vendor/preact.js';
import { ApiError, get } from '../lib/api.js';
import { el } from '../lib/dom.js';
import { createLatest } from '../lib/latest.js';
import { createAnnouncer } from './announcer.js';
import { askToConfirm } from './confirm.js';
import { createDetail, detailParams } from './detail.js';
import { renderHeader } from './header.js';
import { showKeyHelp } from './key-help.js';
import { listenToKeys } from './keys.js';
import { copyLink } from './saved-views.js';
import { errorState, loadingState, staleBanner } from './states.js';
import { views } from './views.js';

/** @typedef {import('../lib/route.js').Route} Route */
/** @typedef {import('../types.d.ts').ViewContext} ViewContext */

/** How often a live view is refreshed. */
const everyMs = 10_000;

/** Parameters that change what is shown, but not what is asked. */
const localParams = [...detailParams, 'live', 'find', 'order', 'pickA', 'pickB'];

/**
 * The frame around the views: loads what the address asks for, draws the answer, and keeps it fresh.
 *
 * @param {object} options
 * @param {HTMLElement} options.header
 * @param {HTMLElement} options.main
 * @param {HTMLDialogElement} options.dialog
 * @param {{ info: HTMLElement, error: HTMLElement }} options.notices
 * @param {ViewContext['go']} options.go
 */
export function createApp({ header, main, dialog, notices, go }) {
  const announce = createAnnouncer(notices);
  /** @type {Route} */
  let route = { view: '', params: new URLSearchParams() };
  /** The shown answer, its question and time of arrival. @type {{ key: string, subject: string, answer: any, atMs: number } | null} */
  let shown = null;
  /** @type {unknown} */
  let failure = null;
  let isBusy = false;
  /** @type {import('../types.d.ts').Session | null} */
  let session = null;

  const latest = createLatest({
    onAnswer({ key, answer }) {
      shown = { key, subject: subjectOf(route), answer, atMs: Date.now() };
      failure = null;
      draw();
    },
    onError(error) {
      failure = error;
      // After the next login, the session may be another one.
      if (isLoggedOut(error)) session = null;
      draw();
    },
    onBusy(busy) {
      isBusy = busy;
      main.setAttribute('aria-busy', String(busy));
      drawHeader();
    },
  });

  /** @returns {ViewContext} */
  const context = () => ({
    route,
    nowMs: shown?.atMs ?? Date.now(),
    mayChange: session === null || session.access === 'operator',
    go,
    refresh,
    announce,
    confirm: askToConfirm,
  });
  const detail = createDetail(dialog, context);

  /** Loads what the address asks for. */
  function load() {
    const [asked, view] = [keyOf(route), views[route.view]];
    const askedFor = route;
    return async (/** @type {AbortSignal} */ signal) => {
      if (view === undefined) throw new ApiError(404, 'This view does not exist.');
      session ??= await get('session', {}, signal);
      return { key: asked, answer: await view.load(askedFor, signal) };
    };
  }

  function refresh() {
    void latest.askNow(load());
    detail.refresh();
  }

  function draw() {
    const view = views[route.view];
    const title = view?.title(route) ?? 'Unknown view';
    document.title = `${title} · Sluice`;
    const heading = el('h1', { tabindex: -1, key: 'heading' }, title);
    const mine = shown !== null && shown.subject === subjectOf(route) ? shown : null;
    main.classList.toggle('outdated', failure === null && mine !== null && mine.key !== keyOf(route));
    if (view === undefined || mine === null) {
      const state =
        failure === null && view !== undefined
          ? loadingState()
          : errorState(failure ?? new ApiError(404, 'This view does not exist.'), { refresh });
      render([heading, state], main);
    } else if (failure !== null && (mine.key !== keyOf(route) || !mayPass(failure))) {
      // The answer to another question is never shown, nor any answer to a reader who may not, or may no longer, see it.
      render([heading, errorState(failure, { refresh })], main);
    } else {
      const banner = failure === null ? null : staleBanner(failure, mine.atMs);
      render([heading, banner, view.render(mine.answer, context())], main);
    }
    drawHeader();
  }

  function drawHeader() {
    const bars = renderHeader({
      route,
      hasWindow: views[route.view]?.hasWindow ?? false,
      isBusy,
      isStale: failure !== null,
      atMs: shown?.atMs ?? null,
      session,
      refresh,
      redraw: drawHeader,
      showHelp: showKeyHelp,
      announce,
      go,
    });
    render(bars, header);
  }

  function keepFresh() {
    const isLive = !document.hidden && route.params.get('live') !== 'off';
    if (isLive && views[route.view] !== undefined) void latest.askWhenIdle(load());
  }
  setInterval(() => {
    if (!isLoggedOut(failure)) keepFresh();
  }, everyMs);
  // A reader who returns to the tab should not see old data for long, and may have logged in elsewhere meanwhile.
  document.addEventListener('visibilitychange', keepFresh);

  listenToKeys(() => {
    const hasWindow = views[route.view]?.hasWindow ?? false;
    return {
      ...{ route, hasWindow, go, refresh },
      showHelp: showKeyHelp,
      copyLink: () => void copyLink({ route, hasWindow, announce }),
    };
  });

  return {
    /** @param {Route} next */
    open(next) {
      const before = route;
      route = next;
      const isOther = keyOf(before) !== keyOf(next);
      if (isOther) {
        failure = null;
        void latest.askNow(load());
      }
      draw();
      detail.open();
      if (before.view !== '' && before.view !== next.view) {
        scrollTo(0, 0);
        main.querySelector('h1')?.focus();
      }
    },
  };
}

/** Whether a retry may succeed, so that the last answer is still shown. @param {unknown} error */
function mayPass(error) {
  return error instanceof ApiError && (error.status === 0 || error.status === 429 || error.status >= 500);
}

/** @param {unknown} error */
function isLoggedOut(error) {
  return error instanceof ApiError && error.status === 401;
}

/** The subject of the view: one strategy's figures must not appear under another's name. @param {Route} route */
function subjectOf({ view, params }) {
  return JSON.stringify([view, params.get('id')]);
}

/** The question to the API. @param {Route} route */
function keyOf({ view, params }) {
  const asked = new URLSearchParams(params);
  for (const name of localParams) asked.delete(name);
  asked.sort();
  return `${view}?${asked}`;
}
