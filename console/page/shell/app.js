import { ApiError, get } from '../lib/api.js';
import { el } from '../lib/dom.js';
import { createLatest } from '../lib/latest.js';
import { show } from '../lib/patch.js';
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
const localParams = [...detailParams, 'live', 'find'];

/**
 * What stands around the views: asks for what the address says, draws the answer, and keeps it fresh.
 *
 * @param {{ header: HTMLElement, main: HTMLElement, notices: HTMLElement, go: ViewContext['go'] }} options
 */
export function createApp({ header, main, notices, go }) {
  const announce = createAnnouncer(notices);
  /** @type {Route} */
  let route = { view: '', params: new URLSearchParams() };
  /** What is shown: the answer to which question, and when it came. @type {{ key: string, view: string, answer: any, atMs: number } | null} */
  let shown = null;
  /** @type {unknown} */
  let failure = null;
  let isBusy = false;
  /** @type {import('../types.d.ts').Session | null} */
  let session = null;

  const latest = createLatest({
    onAnswer({ key, answer }) {
      shown = { key, view: route.view, answer, atMs: Date.now() };
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
  const detail = createDetail(context);

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
    const heading = el('h1', { tabindex: '-1', key: 'heading' }, title);
    const mine = shown !== null && shown.view === route.view ? shown : null;
    if (view === undefined || mine === null) {
      show(
        main,
        heading,
        failure === null && view !== undefined
          ? loadingState()
          : errorState(failure ?? new ApiError(404, 'There is no such view.'), { refresh }),
      );
    } else if (failure !== null && mine.key !== keyOf(route)) {
      // The answer is to another question: not shown beside this failure.
      show(main, heading, errorState(failure, { refresh }));
    } else {
      main.classList.toggle('outdated', mine.key !== keyOf(route));
      show(
        main,
        heading,
        ...(failure === null ? [] : [staleBanner(failure, mine.atMs)]),
        ...view.render(mine.answer, context()),
      );
    }
    drawHeader();
  }

  function drawHeader() {
    show(
      header,
      ...renderHeader({
        route,
        hasWindow: views[route.view]?.hasWindow ?? false,
        isBusy,
        isStale: failure !== null,
        atMs: shown?.atMs ?? null,
        session,
        refresh,
      }),
    );
  }

  setInterval(() => {
    if (
      !document.hidden &&
      route.params.get('live') !== 'off' &&
      views[route.view] !== undefined &&
      !isLoggedOut(failure)
    )
      void latest.askWhenIdle(load());
  }, everyMs);

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

/** @param {unknown} error */
function isLoggedOut(error) {
  return error instanceof ApiError && error.status === 401;
}

/** What is asked of the API. @param {Route} route */
function keyOf({ view, params }) {
  const asked = new URLSearchParams(params);
  for (const name of localParams) asked.delete(name);
  asked.sort();
  return `${view}?${asked}`;
}
