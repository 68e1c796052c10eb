import { el } from '../lib/dom.js';
import { button } from './parts.js';

/**
 * Copies a text, and says so.
 *
 * @param {string} name of the text
 * @param {string} text
 * @param {{ announce(text: string, kind?: 'info' | 'error'): void }} context
 * @returns {Promise<boolean>} whether the browser allowed it
 */
export async function copyText(name, text, { announce }) {
  try {
    await navigator.clipboard.writeText(text);
    announce(`Copied the ${name}`);
    return true;
  } catch {
    announce(`The browser does not allow the page to copy the ${name}`, 'error');
    return false;
  }
}

/**
 * A text to read and to copy.
 *
 * @param {string} name
 * @param {string} text
 * @param {{ announce(text: string, kind?: 'info' | 'error'): void }} context
 */
export function copyBox(name, text, { announce }) {
  /** @param {{ currentTarget: HTMLElement }} event */
  const copy = async ({ currentTarget }) => {
    // The element that is shown, which a refresh keeps.
    const pre = currentTarget.parentElement?.querySelector('pre');
    try {
      await navigator.clipboard.writeText(text);
      announce(`Copied the ${name}`);
    } catch {
      // Refused, or the address is not secure: select the text, so that it is one key press away.
      if (pre) getSelection()?.selectAllChildren(pre);
      announce(`The browser does not allow the page to copy. The ${name} is selected: press Ctrl+C`, 'error');
    }
  };
  return el(
    'div',
    { class: 'copy-box' },
    button('Copy', (event) => void copy(event), { describe: `Copy the ${name}` }),
    el('pre', { tabindex: 0, 'aria-label': name, role: 'region' }, text),
  );
}
