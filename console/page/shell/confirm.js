import { render } from '../../vendor/preact.js';
import { el } from '../lib/dom.js';

/**
 * Asks in a native dialog of the browser, which keeps the focus inside and returns it. Escape means no.
 *
 * @param {import('../types.d.ts').ConfirmQuestion} question
 * @returns {Promise<boolean>}
 */
export function askToConfirm({ title, text, action, isDangerous = false }) {
  const host = document.createElement('div');
  document.body.append(host);
  return new Promise((resolve) => {
    const dialog = el(
      'dialog',
      {
        class: 'confirm',
        'aria-labelledby': 'confirm-title',
        'aria-describedby': 'confirm-text',
        ref: (dialog) => dialog?.showModal(),
        onClose: ({ currentTarget }) => {
          resolve(currentTarget.returnValue === 'yes');
          host.remove();
        },
      },
      el('h2', { id: 'confirm-title' }, title),
      el('p', { id: 'confirm-text' }, text),
      el(
        'form',
        { method: 'dialog', class: 'confirm-actions' },
        // The first button has the focus: pressing Enter by mistake does nothing.
        el('button', { class: 'button', value: 'no' }, 'Cancel'),
        el('button', { class: `button ${isDangerous ? 'danger' : 'primary'}`, value: 'yes' }, action),
      ),
    );
    render(dialog, host);
  });
}
