import { render } from '../../vendor/preact.js';
import { ApiError, get } from '../lib/api.js';
import { el } from '../lib/dom.js';
import { createLatest } from '../lib/latest.js';
import { createAnnouncer } from './announcer.js';
import { askToConfirm } from './confirm.js';
import { createDetail, detailParams } from './detail.js';
import { renderHeader } from './header.js';
import { errorState, loadingState, staleBanner } from './states.js';
import { views } from './views.js';

/** @typedef {import('../lib/route.js').Route} Route */
/** @typedef {import('../types.d.ts').ViewContext} ViewContext */

/** How often a live view is asked for again. */
const everyMs = 10_000;

/** Parameters that change what is shown, and not what is asked. */
const localParams = [...detailParams, 'live', 'find', 'order'];

/**
 * What stands around the views: asks for what the address says, draws the answer, and keeps it fresh.
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
  /** What is shown: the answer to which question, and when it came. @type {{ key: string, subject: string, answer: any, atMs: number } | null} */
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
      // Whose session it was is asked again after the next login.
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

  /** What the address asks, to be asked. */
  function load() {
    const [asked, view] = [keyOf(route), views[route.view]];
    const askedFor = route;
    return async (/** @type {AbortSignal} */ signal) => {
      if (view === undefined) throw new ApiError(404, 'There is no such view.');
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
    const title = view?.title(route) ?? 'Nothing here';
    document.title = `${title} · Sluice`;
    const heading = el('h1', { tabindex: -1, key: 'heading' }, title);
    const mine = shown !== null && shown.subject === subjectOf(route) ? shown : null;
    main.classList.toggle('outdated', failure === null && mine !== null && mine.key !== keyOf(route));
    if (view === undefined || mine === null) {
      const state =
        failure === null && view !== undefined
          ? loadingState()
          : errorState(failure ?? new ApiError(404, 'There is no such view.'), { refresh });
      render([heading, state], main);
    } else if (failure !== null && (mine.key !== keyOf(route) || !mayPass(failure))) {
      // Of an answer to another question nothing is shown, nor to a reader who is not, or no more, allowed to read it.
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
  // Whoever comes back to the tab does not read what is old for long, and may have logged in elsewhere meanwhile.
  document.addEventListener('visibilitychange', keepFresh);

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

/** Whether the next try may well succeed, so that what was answered before is still shown. @param {unknown} error */
function mayPass(error) {
  return error instanceof ApiError && (error.status === 0 || error.status === 429 || error.status >= 500);
}

/** @param {unknown} error */
function isLoggedOut(error) {
  return error instanceof ApiError && error.status === 401;
}

/** What the view is of: figures of one strategy do not stand under the name of another. @param {Route} route */
function subjectOf({ view, params }) {
  return JSON.stringify([view, params.get('id')]);
}

/** What is asked of the API. @param {Route} route */
function keyOf({ view, params }) {
  const asked = new URLSearchParams(params);
  for (const name of localParams) asked.delete(name);
  asked.sort();
  return `${view}?${asked}`;
}
