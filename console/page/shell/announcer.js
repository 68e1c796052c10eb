import { render } from '../../vendor/preact.js';
import { el } from '../lib/dom.js';

/** Long enough to be read; what went wrong stays until it is closed. */
const shownForMs = 6_000;

/**
 * Tells what happened, to the eye and to screen readers. The regions are there from the beginning: what is put into a new one
 * is often not read.
 *
 * @param {{ info: Element, error: Element }} regions
 * @returns {import('../types.d.ts').ViewContext['announce']}
 */
export function createAnnouncer(regions) {
  let told = 0;
  let closing = 0;
  return (text, kind = 'info') => {
    const close = () => render(null, regions[kind]);
    const notice = el(
      'div',
      // Another element each time: the same text is read again.
      { class: `notice ${kind}`, key: ++told },
      el('span', null, text),
      el('button', { type: 'button', class: 'close', 'aria-label': 'Close this notice', onClick: close }, '×'),
    );
    render(notice, regions[kind]);
    if (kind !== 'info') return;
    clearTimeout(closing);
    closing = window.setTimeout(close, shownForMs);
  };
}
