import { render } from '../../vendor/preact.js';
import { button } from '../components/parts.js';
import { goByKeys } from '../components/turn-keys.js';
import { get } from '../lib/api.js';
import { el } from '../lib/dom.js';
import { createLatest } from '../lib/latest.js';
import { hrefWith } from '../lib/route.js';
import { renderDeadLetter } from '../views/dead-letter.js';
import { renderExecution } from '../views/execution.js';
import { loadRequest, renderRequest } from '../views/request.js';
import { errorState, loadingState } from './states.js';

/** @typedef {import('../lib/route.js').Route} Route */
/** @typedef {import('../types.d.ts').ViewContext} ViewContext */

/** What can be opened over a view, by its parameter. */
/** @type {Record<string, { title: string, load(route: Route, id: string, signal: AbortSignal): Promise<any>, render(answer: any, context: ViewContext): import('../lib/dom.js').Child }>} */
const details = {
  execution: { title: 'Execution', load: from('executions'), render: renderExecution },
  'dead-letter': { title: 'Dead letter', load: from('dead-letters'), render: renderDeadLetter },
  request: { title: 'Request', load: loadRequest, render: renderRequest },
};

/** Parameters of the item that is open: which it is, and for a request the one that it is compared with. */
export const detailParams = [...Object.keys(details), 'with'];

/** @param {string} path of a list in the API */
function from(path) {
  return (/** @type {Route} */ _route, /** @type {string} */ id, /** @type {AbortSignal} */ signal) =>
    get(`${path}/${encodeURIComponent(id)}`, {}, signal);
}

/**
 * One item with all its details, in a dialog over the view. The URL names it, so that it can be shared. Escape closes it,
 * and the focus returns to what opened it.
 *
 * @param {HTMLDialogElement} dialog
 * @param {() => ViewContext} context
 */
export function createDetail(dialog, context) {
  dialog.addEventListener('close', leave);
  dialog.addEventListener('click', closeFromOutside);
  goByKeys(dialog);
  let open = '';
  /** @type {HTMLElement | null} */
  let opener = null;
  /** @type {import('../lib/dom.js').Child} */
  let content = null;

  const latest = createLatest({
    onAnswer({ kind, answer }) {
      content = kind.render(answer, context());
      draw(false);
    },
    onError(error) {
      // Logging in here also logs in the view below.
      content = errorState(error, context());
      draw(false);
    },
    onBusy: draw,
  });

  /** @param {boolean} isBusy */
  function draw(isBusy) {
    const title = details[asked()?.[0] ?? '']?.title ?? '';
    const frame = el(
      'div',
      { class: 'detail-frame' },
      el(
        'div',
        { class: 'detail-head' },
        el('h2', { id: 'detail-title' }, title),
        button('Close', () => dialog.close()),
      ),
      el('div', { class: 'detail-body', 'aria-busy': isBusy }, content),
    );
    render(frame, dialog);
  }

  /** @returns {[string, string] | null} */
  function asked() {
    const { params } = context().route;
    const name = Object.keys(details).find((param) => params.has(param));
    return name === undefined ? null : [name, params.get(name) ?? ''];
  }

  function refresh() {
    const which = asked();
    const kind = which === null ? undefined : details[which[0]];
    if (which === null || kind === undefined) return;
    const { route } = context();
    void latest.askNow(async (signal) => ({ kind, answer: await kind.load(route, which[1], signal) }));
  }

  /** The reader closed it: update the URL. */
  function leave() {
    latest.cancel();
    open = '';
    // The element that opened it may have gone from the list meanwhile.
    (opener?.isConnected ? opener : document.querySelector('h1'))?.focus();
    opener = null;
    const { route, go } = context();
    if (asked() === null) return;
    // Go back, so that the history does not lead through the dialog again.
    if (history.state?.isOurs) history.back();
    else go(hrefWith(route, Object.fromEntries(detailParams.map((name) => [name, null]))), { replace: true });
  }

  /** @param {MouseEvent} event */
  function closeFromOutside(event) {
    if (event.target === dialog) dialog.close();
  }

  return {
    refresh,
    /** Opens or closes the dialog, as the URL says. */
    open() {
      const which = asked();
      const name = which === null ? '' : [...which, context().route.params.get('with')].join(' ');
      if (name === open) return;
      open = name;
      if (which === null) {
        if (dialog.open) dialog.close();
        return;
      }
      content = loadingState();
      draw(true);
      if (!dialog.open) {
        opener = document.activeElement instanceof HTMLElement ? document.activeElement : null;
        dialog.showModal();
      }
      refresh();
    },
  };
}
