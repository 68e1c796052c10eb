import { el } from '../lib/dom.js';
import { firstPage, hrefWith } from '../lib/route.js';

/**
 * From a time to a time, by the reader's clock. A form of the page's own address, so that it works like a link.
 *
 * @param {import('../lib/route.js').Route} route
 * @param {boolean} isChosen
 */
export function customWindow(route, isChosen) {
  const [since, until] = [route.params.get('since'), route.params.get('until')];
  const field = (/** @type {string} */ name, /** @type {string} */ label, /** @type {string | null} */ value) =>
    el(
      'label',
      null,
      el('span', null, label),
      el('input', { type: 'datetime-local', step: '1', name, value: value === null ? '' : toLocal(value) }),
    );
  /** @param {SubmitEvent & { target: HTMLFormElement }} event */
  const submit = (event) => {
    event.preventDefault();
    const data = new FormData(event.target);
    const link = el('a', {
      href: hrefWith(route, {
        since: toIso(data.get('since')),
        until: toIso(data.get('until')),
        window: null,
        ...firstPage,
      }),
    });
    // Followed as a link is: the page has one way to go somewhere.
    event.target.append(link);
    link.click();
    link.remove();
    event.target.closest('details')?.removeAttribute('open');
  };
  /** @param {KeyboardEvent & { currentTarget: HTMLDetailsElement }} event */
  const keydown = ({ key, currentTarget }) => {
    if (key !== 'Escape' || !currentTarget.open) return;
    currentTarget.open = false;
    currentTarget.querySelector('summary')?.focus();
  };
  return el(
    'details',
    { class: 'custom-window', on: { keydown } },
    el('summary', { class: isChosen ? 'chosen' : null }, isChosen ? spanText(since, until) : 'From … to'),
    el(
      'form',
      { on: { submit } },
      field('since', 'From', since),
      field('until', 'To (now when empty)', until),
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
