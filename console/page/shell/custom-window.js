import { readTimeField, timeField } from '../components/time-field.js';
import { el } from '../lib/dom.js';
import { time } from '../lib/format.js';
import { parseInstant, zoneName } from '../lib/local-time.js';
import { firstPage, hrefWith } from '../lib/route.js';

/**
 * From one time to another, in the reader's time zone.
 *
 * @param {Pick<import('../types.d.ts').ViewContext, 'route' | 'go'>} context
 * @param {boolean} isChosen
 */
export function customWindow({ route, go }, isChosen) {
  const [since, until] = [route.params.get('since'), route.params.get('until')];
  const fields = {
    since: { name: 'since', label: 'From', value: since },
    until: { name: 'until', label: 'To (empty: now)', value: until },
  };
  /** @param {import('preact').TargetedSubmitEvent<HTMLFormElement>} event */
  const onSubmit = (event) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    event.currentTarget.closest('details')?.removeAttribute('open');
    go(
      hrefWith(route, {
        since: readTimeField(data, fields.since),
        until: readTimeField(data, fields.until),
        window: null,
        ...firstPage,
      }),
    );
  };
  /** @param {import('preact').TargetedKeyboardEvent<HTMLDetailsElement>} event */
  const onKeyDown = ({ key, currentTarget }) => {
    if (key !== 'Escape' || !currentTarget.open) return;
    currentTarget.open = false;
    currentTarget.querySelector('summary')?.focus();
  };
  return el(
    'details',
    { class: 'custom-window', onKeyDown },
    el('summary', { class: isChosen ? 'chosen' : undefined }, isChosen ? spanText(since, until) : 'From … to'),
    el(
      'form',
      { onSubmit },
      timeField(fields.since),
      timeField(fields.until),
      el('p', { class: 'note' }, `Times are those of clocks in ${zoneName()}.`),
      el('button', { type: 'submit', class: 'button primary' }, 'Show'),
    ),
  );
}

/** @param {string | null} since @param {string | null} until */
function spanText(since, until) {
  return `${since === null ? '…' : timeOr(since)} to ${until === null ? 'now' : timeOr(until)}`;
}

/** @param {string} text a time, or anything else that is in the URL */
function timeOr(text) {
  return parseInstant(text) === null ? text : time(text);
}
