import { button } from '../components/parts.js';
import { ApiError, logIn } from '../lib/api.js';
import { el } from '../lib/dom.js';
import { time } from '../lib/format.js';

/** What is shown instead of an answer. */

export function loadingState() {
  return el(
    'div',
    { class: 'empty loading', role: 'status', key: 'loading' },
    el('p', { class: 'empty-title' }, 'Loading…'),
    el('p', null, 'Waiting for the console.'),
  );
}

/** @param {unknown} error */
function textOf(error) {
  return error instanceof Error ? error.message : String(error);
}

/** @param {unknown} error @param {{ refresh(): void }} context */
export function errorState(error, { refresh }) {
  if (error instanceof ApiError && error.status === 401) return loginForm(refresh);
  return el(
    'div',
    { class: 'empty failed', role: 'alert', key: 'error' },
    el('p', { class: 'empty-title' }, titleOf(error)),
    el('p', null, textOf(error)),
    button('Try again', refresh, { kind: 'primary' }),
  );
}

/** @param {unknown} error */
function titleOf(error) {
  if (!(error instanceof ApiError)) return 'Error in the page';
  if (error.status === 403) return 'Not allowed with this token';
  if (error.status === 404) return 'Not found';
  if (error.status === 504) return 'That took too long';
  return error.status >= 400 && error.status < 500 ? 'That cannot be asked' : 'No answer';
}

/** @param {unknown} error @param {number} atMs */
export function staleBanner(error, atMs) {
  return el(
    'p',
    { class: 'banner', role: 'alert', key: 'stale' },
    `Not refreshed since ${time(atMs)}: ${textOf(error)}`,
  );
}

/** @param {() => void} refresh */
function loginForm(refresh) {
  // Reads everything from the form that is shown: a refresh keeps that form, and gives it new handlers.
  /** @param {import('preact').TargetedSubmitEvent<HTMLFormElement>} event */
  const submit = async (event) => {
    event.preventDefault();
    const form = event.currentTarget;
    const problem = form.querySelector('.problem');
    try {
      await logIn(String(new FormData(form).get('token')));
      refresh();
    } catch (error) {
      if (problem !== null) problem.textContent = textOf(error);
    }
  };
  return el(
    'form',
    { class: 'empty login', key: 'login', onSubmit: (event) => void submit(event) },
    el('p', { class: 'empty-title' }, 'Log in'),
    el(
      'label',
      null,
      el('span', null, 'Token'),
      el('input', {
        type: 'password',
        name: 'token',
        autocomplete: 'current-password',
        required: true,
        maxlength: 500,
      }),
    ),
    el('button', { type: 'submit', class: 'button primary' }, 'Log in'),
    el('p', { class: 'problem', role: 'alert' }),
  );
}
