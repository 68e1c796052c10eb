import { render } from '../../vendor/preact.js';
import { el } from '../lib/dom.js';
import { keysAreOn, shortcuts, turnKeys } from './keys.js';

/** Shows the keys in a native dialog of the browser, which keeps the focus inside and returns it. */
export function showKeyHelp() {
  const host = document.createElement('div');
  document.body.append(host);
  const dialog = el(
    'dialog',
    {
      class: 'confirm keys',
      'aria-labelledby': 'keys-title',
      ref: (dialog) => dialog?.showModal(),
      onClose: () => host.remove(),
    },
    el('h2', { id: 'keys-title' }, 'Keys'),
    el(
      'dl',
      null,
      shortcuts.map(({ key, shown = key.toUpperCase(), text }) =>
        el('div', null, el('dt', null, el('kbd', null, shown)), el('dd', null, text)),
      ),
    ),
    el(
      'form',
      { method: 'dialog', class: 'confirm-actions' },
      el(
        'label',
        null,
        el('input', {
          type: 'checkbox',
          checked: keysAreOn(),
          onChange: ({ currentTarget }) => turnKeys(currentTarget.checked),
        }),
        ' Keys are on',
      ),
      el('button', { class: 'button primary', autofocus: true }, 'Close'),
    ),
  );
  render(dialog, host);
}
