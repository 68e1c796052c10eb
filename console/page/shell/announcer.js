import { render } from '../../vendor/preact.js';
import { el } from '../lib/dom.js';

/** Long enough to read; errors stay until they are closed. */
const shownForMs = 6_000;

/**
 * Announces what happened, visibly and to screen readers. The regions exist from the start, because screen readers often
 * ignore what is put into a new one.
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
      // A new element each time, so that the same text is read again.
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
