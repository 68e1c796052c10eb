import { Component } from '../../vendor/preact.js';
import { el } from '../lib/dom.js';
import { count } from '../lib/format.js';
import { stretchEnd, toPieces } from '../lib/visible-text.js';
import { button } from './parts.js';

/** @typedef {{ text: string, name: string, isCode?: boolean, first?: number }} LongTextProps */

/** So much is shown at first, and so much more each time: what is laid out stays small, however long the text is. */
const firstChars = 8_000;
const moreChars = 100_000;

/**
 * A text of any length: its beginning, and more of it when the reader asks. Characters that cannot be seen are named.
 *
 * @param {string} text
 * @param {Omit<LongTextProps, 'text'>} options name: what it is, for screen readers; isCode: in letters of one width
 */
export function longText(text, options) {
  return el(LongText, { text, ...options });
}

/** @extends {Component<LongTextProps, { ends: number[] }>} */
class LongText extends Component {
  /** where each stretch that is shown ends @override */
  state = { ends: [stretchEnd(this.props.text, 0, this.props.first ?? firstChars)] };

  #more = () => {
    const { text } = this.props;
    const { ends } = this.state;
    this.setState({ ends: [...ends, stretchEnd(text, ends.at(-1) ?? 0, moreChars)] });
  };

  /** @override @param {LongTextProps} before */
  componentDidUpdate(before) {
    if (before.text !== this.props.text) {
      this.setState({ ends: [stretchEnd(this.props.text, 0, this.props.first ?? firstChars)] });
    }
  }

  /** @override @param {LongTextProps} props @param {{ ends: number[] }} state */
  render({ text, name, isCode = false }, { ends }) {
    const left = text.length - (ends.at(-1) ?? 0);
    return el(
      'div',
      { class: `long-text${isCode ? ' code' : ''}`, dir: 'auto' },
      ends.map((end, index) => el(Stretch, { text: text.slice(ends[index - 1] ?? 0, end), key: `${index}` })),
      left > 0
        ? el(
            'p',
            { class: 'more' },
            button('Show more', this.#more, { describe: `Show more of the ${name}` }),
            el('small', null, ` ${count(left)} more characters`),
          )
        : null,
    );
  }
}

/**
 * A short text, such as a name: of a longer one, the beginning. Characters that cannot be seen are named.
 *
 * @param {string} text
 * @param {number} [chars]
 */
export function shortText(text, chars = 200) {
  const end = stretchEnd(text, 0, chars);
  return [drawn(text.slice(0, end)), end < text.length ? '…' : null];
}

/** @param {string} text */
function drawn(text) {
  return toPieces(text).map((piece) =>
    piece.kind === 'text'
      ? piece.text
      : el('span', { class: 'unseen', title: 'Characters that cannot be seen' }, piece.text),
  );
}

/** Drawn once: a stretch never changes. @extends {Component<{ text: string, key: string }>} */
class Stretch extends Component {
  /** @override @param {{ text: string }} next */
  shouldComponentUpdate(next) {
    return next.text !== this.props.text;
  }

  /** @override */
  render() {
    const { text } = this.props;
    return el('span', null, drawn(text));
  }
}
