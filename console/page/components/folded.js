import { Component } from '../../vendor/preact.js';
import { el } from '../lib/dom.js';

/** @typedef {import('../lib/dom.js').Child} Child */
/** @typedef {{ title: Child, content: () => Child, isOpen?: boolean, class?: string, key?: string }} FoldedProps */

/**
 * What is below a title that opens it. Its content is made when it is open, so that what nobody looks at costs nothing.
 *
 * @param {Child} title
 * @param {() => Child} content
 * @param {Omit<FoldedProps, 'title' | 'content'>} [options]
 */
export function folded(title, content, options = {}) {
  return el(Folded, { title, content, ...options });
}

/** @extends {Component<FoldedProps, { isOpen: boolean }>} */
class Folded extends Component {
  /** @override */
  state = { isOpen: this.props.isOpen ?? false };

  /** @override @param {FoldedProps} props @param {{ isOpen: boolean }} state */
  render({ title, content, class: className = '' }, { isOpen }) {
    return el(
      'details',
      {
        class: `folded ${className}`.trim(),
        open: isOpen,
        onToggle: ({ currentTarget }) => this.setState({ isOpen: currentTarget.open }),
      },
      el('summary', null, title),
      isOpen ? el('div', { class: 'folded-content' }, content()) : null,
    );
  }
}
