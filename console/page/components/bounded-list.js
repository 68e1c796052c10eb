import { Component } from '../../vendor/preact.js';
import { el } from '../lib/dom.js';
import { count } from '../lib/format.js';
import { button } from './parts.js';

/** @typedef {import('../lib/dom.js').Child} Child */
/** @typedef {{ length: number, item: (index: number) => Child, name: string, first: number, last: number, key?: string }} BoundedListProps */

/** So many more each time. */
const step = 50;

/**
 * The items of a list of any length: the first and the last ones, and those between them when the reader asks.
 *
 * @param {BoundedListProps} options name: of the items, in the plural
 */
export function boundedList(options) {
  return el(BoundedList, options);
}

/** @extends {Component<BoundedListProps, { more: number }>} */
class BoundedList extends Component {
  /** @override */
  state = { more: 0 };

  #more = () => this.setState({ more: this.state.more + step });

  /** @override @param {BoundedListProps} props @param {{ more: number }} state */
  render({ length, item, name, first, last }, { more }) {
    const from = Math.min(length, first + more);
    const to = Math.max(from, length - last);
    const indexes = (/** @type {number} */ start, /** @type {number} */ end) =>
      Array.from({ length: end - start }, (_, index) => item(start + index));
    if (from === to) return indexes(0, length);
    return [
      ...indexes(0, from),
      el(
        'p',
        { class: 'more', key: 'more' },
        button(`Show ${count(Math.min(step, to - from))} more ${name}`, this.#more),
        el('small', null, ` ${count(to - from)} are hidden here`),
      ),
      ...indexes(to, length),
    ];
  }
}
