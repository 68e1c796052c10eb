import { Component } from '../../vendor/preact.js';
import { el } from '../lib/dom.js';
import { parseInstant, toChosen, toInstants, toOffset, toReading, zoneName } from '../lib/local-time.js';
import { textInput } from './text-input.js';

/**
 * @typedef {object} TimeFieldProps
 * @property {string} name
 * @property {string} label
 * @property {string | null} value the instant, in ISO 8601
 * @property {string} [key]
 */

/**
 * A time in the reader's zone, with the zone's offset at that time. If clocks show the time twice, because they are set back, the
 * reader chooses which of the two is meant; a time that they skip is refused.
 *
 * @param {Omit<TimeFieldProps, 'key'>} props
 */
export function timeField(props) {
  // Another instant in the URL is shown in place of what was typed.
  return el(TimeField, { ...props, key: `${props.name} ${props.value}` });
}

/**
 * The instant in a field of a form that was submitted; null if the field is empty.
 *
 * @param {FormData} data
 * @param {{ name: string, value: string | null }} field as it was drawn
 */
export function readTimeField(data, { name, value }) {
  const text = (/** @type {string} */ key) => {
    const entry = data.get(key);
    return typeof entry === 'string' ? entry : null;
  };
  return toChosen({ reading: text(name) ?? '', offset: text(offsetName(name)), given: value });
}

/** @param {string} name */
function offsetName(name) {
  return `${name}-offset`;
}

/** @extends {Component<TimeFieldProps, { typed: string | null }>} */
class TimeField extends Component {
  /** @override */
  state = { typed: null };

  /** @param {import('preact').TargetedEvent<HTMLInputElement>} event */
  #type = ({ currentTarget }) => {
    const isSkipped = currentTarget.value !== '' && toInstants(currentTarget.value).length === 0;
    currentTarget.setCustomValidity(
      isSkipped ? `Clocks in ${zoneName()} skip this time: they are set forward over it.` : '',
    );
    this.setState({ typed: currentTarget.value });
  };

  /** @override @param {TimeFieldProps} props @param {{ typed: string | null }} state */
  render({ name, label, value }, { typed }) {
    const givenMs = value === null ? null : parseInstant(value);
    const given = givenMs === null ? '' : toReading(givenMs);
    const instants = toInstants(typed ?? given);
    return el(
      'div',
      { class: 'time-field' },
      el(
        'label',
        null,
        el('span', null, label),
        textInput(given, {
          type: 'datetime-local',
          step: 1,
          min: '1970-01-01T00:00:00',
          max: '9999-12-31T23:59:59',
          name,
          onInput: this.#type,
        }),
      ),
      instants.length > 1
        ? el(
            'select',
            { name: offsetName(name), 'aria-label': `${label}: clocks show this time twice` },
            instants.map((ms, index) => {
              const offset = toOffset(ms);
              return el(
                'option',
                { value: offset, selected: givenMs !== null && toOffset(givenMs) === offset },
                `${offset}, ${index === 0 ? 'earlier' : 'later'}`,
              );
            }),
          )
        : el('span', { class: 'offset' }, instants.map(toOffset)),
    );
  }
}
