import { el } from '../lib/dom.js';

/**
 * An input whose text is in the address. What is typed stays until the address says something else: half of a window of
 * time, too, or a blank after a word.
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
