import { textInput } from '../components/text-input.js';
import { el } from '../lib/dom.js';
import { firstPage, hrefWith } from '../lib/route.js';

/**
 * From one time to another, in the reader's time zone.
 *
 * @param {Pick<import('../types.d.ts').ViewContext, 'route' | 'go'>} context
 * @param {boolean} isChosen
 */
export function customWindow({ route, go }, isChosen) {
  const [since, until] = [route.params.get('since'), route.params.get('until')];
  const field = (/** @type {string} */ name, /** @type {string} */ label, /** @type {string | null} */ value) =>
    el(
      'label',
      null,
      el('span', null, label),
      textInput(value === null ? '' : toLocal(value), { type: 'datetime-local', step: 1, name }),
    );
  /** @param {import('preact').TargetedSubmitEvent<HTMLFormElement>} event */
  const onSubmit = (event) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    event.currentTarget.closest('details')?.removeAttribute('open');
    go(
      hrefWith(route, {
        since: toIso(data.get('since')),
        until: toIso(data.get('until')),
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
      field('since', 'From', since),
      field('until', 'To (empty: now)', until),
      el('button', { type: 'submit', class: 'button primary' }, 'Show'),
    ),
  );
}

/** @param {string | null} since @param {string | null} until */
function spanText(since, until) {
  return `${since === null ? '…' : toLocal(since).replace('T', ' ')} to ${until === null ? 'now' : toLocal(until).replace('T', ' ')}`;
}

/** @param {string} iso */
function toLocal(iso) {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

/** @param {FormDataEntryValue | null} local */
function toIso(local) {
  return typeof local === 'string' && local !== '' ? new Date(local).toISOString() : null;
}
