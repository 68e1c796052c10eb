import { copyText } from '../components/copy-box.js';
import { button } from '../components/parts.js';
import { textOfTurn } from '../lib/conversation/turn-text.js';
import { el } from '../lib/dom.js';
import { hrefTo, hrefWith } from '../lib/route.js';
import { toCurlCommand } from '../lib/to-curl.js';

/** @typedef {import('../types.d.ts').ViewContext} ViewContext */
/** @typedef {import('./request.js').ReadRequest} ReadRequest */

/**
 * What a reader can do with a request.
 *
 * @param {ReadRequest} read
 * @param {string | null} otherId of the one that it is compared with
 * @param {ViewContext} context
 */
export function requestActions({ request, said }, otherId, context) {
  const { route } = context;
  const copyCommand = () =>
    copyText('command, without a key', toCurlCommand(toSent(request), said.request.shape), context);
  const copySaid = () =>
    copyText('conversation', said.turns.map((turn) => `## ${turn.role}\n\n${textOfTurn(turn)}`).join('\n\n'), context);
  return el(
    'div',
    { class: 'actions', key: 'actions' },
    request.request.body === '' ? null : button('Copy as curl', () => void copyCommand()),
    said.turns.length === 0 ? null : button('Copy the conversation', () => void copySaid()),
    request.traceId === null
      ? null
      : el('a', { class: 'button', href: hrefTo(route, 'strategies', { trace: request.traceId }) }, 'Its trace'),
    otherId === null
      ? compareForm(request.id, context)
      : button('End the comparison', () => context.go(hrefWith(route, { with: null }), { replace: true })),
  );
}

/** @param {ReadRequest['request']} request */
function toSent({ method, path, request: body }) {
  return { method, path, body };
}

/** @param {string} id @param {ViewContext} context */
function compareForm(id, { route, go, announce }) {
  /** @param {import('preact').TargetedSubmitEvent<HTMLFormElement>} event */
  const onSubmit = (event) => {
    event.preventDefault();
    const other = String(new FormData(event.currentTarget).get('with')).trim().toLowerCase();
    if (other === id) announce('This is the same request. Name another one', 'error');
    // The way back leads out of the dialog, not through what was compared in it.
    else go(hrefWith(route, { with: other }), { replace: true });
  };
  return el(
    'form',
    { class: 'compare-form', onSubmit },
    el(
      'label',
      null,
      el('span', { class: 'visually-hidden' }, 'Compare with the request of the id'),
      el('input', {
        name: 'with',
        placeholder: 'id of another request',
        required: true,
        maxlength: 36,
        pattern: '\\s*[0-9a-fA-F\\-]{36}\\s*',
        autocomplete: 'off',
        spellcheck: false,
      }),
    ),
    el('button', { type: 'submit', class: 'button' }, 'Compare'),
  );
}
