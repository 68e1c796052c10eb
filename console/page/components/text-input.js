import { el } from '../lib/dom.js';

/**
 * An input whose text is in the URL. What the reader types stays until the URL changes to something else, even half a
 * window of time or a space after a word.
 *
 * @param {string} value
 * @param {import('../lib/dom.js').Elements['input']} props
 */
export function textInput(value, props) {
  /** @param {HTMLInputElement | null} input */
  const ref = (input) => {
    if (input === null || input.defaultValue === value) return;
    input.defaultValue = value;
    if (input.value.trim() !== value) input.value = value;
  };
  return el('input', { ...props, ref });
}
