import { el } from '../lib/dom.js';

/** Long enough to be read; what went wrong stays until it is closed. */
const shownForMs = 6_000;

/**
 * Tells what happened, to the eye and to screen readers. The regions are there from the beginning: what is put into a new one
 * is often not read.
 *
 * @param {HTMLElement} host
 * @returns {(text: string, kind?: 'info' | 'error') => void}
 */
export function createAnnouncer(host) {
  const regions = { info: el('div', { role: 'status' }), error: el('div', { role: 'alert' }) };
  host.append(regions.info, regions.error);
  return (text, kind = 'info') => {
    const notice = el('div', { class: `notice ${kind}` }, el('span', null, text));
    const close = () => notice.remove();
    notice.append(
      el('button', { type: 'button', class: 'close', 'aria-label': 'Close this notice', on: { click: close } }, '×'),
    );
    regions[kind].replaceChildren(notice);
    if (kind === 'info') setTimeout(close, shownForMs);
  };
}
