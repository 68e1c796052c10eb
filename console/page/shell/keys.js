import { firstPage, hrefTo, hrefWith } from '../lib/route.js';
import { nextWindow } from '../lib/window.js';
import { entries } from './views.js';

/**
 * @typedef {object} KeyContext
 * @property {import('../lib/route.js').Route} route
 * @property {boolean} hasWindow
 * @property {import('../types.d.ts').ViewContext['go']} go
 * @property {() => void} refresh
 * @property {() => void} copyLink
 * @property {() => void} showHelp
 */

/** @typedef {{ key: string, shown?: string, text: string, run(context: KeyContext): void }} Shortcut key: as in a keyboard event */

/** The keys of the page: what the handler does, and what the help lists. @type {readonly Shortcut[]} */
export const shortcuts = [
  { key: '?', text: 'Show the keys', run: ({ showHelp }) => showHelp() },
  ...entries.slice(0, 9).map(([view, name], index) => ({
    key: `${index + 1}`,
    text: `Go to ${name}`,
    run: (/** @type {KeyContext} */ { route, go }) => go(hrefTo(route, view)),
  })),
  { key: 'w', text: 'Show a longer window of time', run: (context) => changeWindow(context, 1) },
  { key: 'W', shown: 'Shift + W', text: 'Show a shorter window of time', run: (context) => changeWindow(context, -1) },
  { key: '/', text: 'Go to the first search field', run: () => focusSearch() },
  { key: 'j', text: 'Go to the next row of a table', run: () => moveRow(1) },
  { key: 'k', text: 'Go to the previous row', run: () => moveRow(-1) },
  { key: 'r', text: 'Refresh', run: ({ refresh }) => refresh() },
  { key: 'c', text: 'Copy a link to this view', run: ({ copyLink }) => copyLink() },
];

/** @param {string} view @returns {string | undefined} the key that leads to it */
export function keyOfView(view) {
  const index = entries.findIndex(([name]) => name === view);
  return index === -1 || index > 8 ? undefined : `${index + 1}`;
}

const storageKey = 'sluice keys';
let areOn = readSetting();

/** Whether single keys do something: people who dictate or whose keyboard repeats by itself turn them off. */
export function keysAreOn() {
  return areOn;
}

/** @param {boolean} on */
export function turnKeys(on) {
  areOn = on;
  try {
    localStorage.setItem(storageKey, on ? 'on' : 'off');
  } catch {
    // Nothing is kept for this page: it holds until the page is left.
  }
}

function readSetting() {
  try {
    return localStorage.getItem(storageKey) !== 'off';
  } catch {
    return true;
  }
}

/**
 * Listens to the keys, but not while somebody types, nor while a dialog is open.
 *
 * @param {() => KeyContext} context
 */
export function listenToKeys(context) {
  document.addEventListener('keydown', (event) => {
    const { key, target } = event;
    if (!areOn || event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (isTyping(target) || document.querySelector('dialog[open]') !== null) return;
    const shortcut = shortcuts.find((one) => one.key === key);
    if (shortcut === undefined) return;
    event.preventDefault();
    shortcut.run(context());
  });
}

const notTyped = new Set(['checkbox', 'radio', 'button', 'submit', 'reset']);

/** @param {EventTarget | null} target */
function isTyping(target) {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !notTyped.has(target.type);
  return target.isContentEditable || target.matches('select, textarea');
}

/** @param {KeyContext} context @param {1 | -1} step */
function changeWindow({ route, hasWindow, go }, step) {
  const window = hasWindow ? nextWindow(route, step) : null;
  if (window !== null) go(hrefWith(route, { window, since: null, until: null, ...firstPage }));
}

function focusSearch() {
  const fields = /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll('main input[type="search"]'));
  const field = [...fields].find(isVisible);
  field?.focus();
  field?.select();
}

/** @param {1 | -1} step */
function moveRow(step) {
  const found = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('main tbody tr'));
  const rows = [...found].filter(isVisible);
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  const row = at === -1 ? rows.at(step === 1 ? 0 : -1) : rows[at + step];
  if (row === undefined) return;
  /** @type {HTMLElement} */
  const place = row.querySelector('th a') ?? row.querySelector('a') ?? row;
  // A row that leads nowhere can have the focus only so.
  if (place === row) row.tabIndex = -1;
  place.focus();
}

/** @param {Element} element */
function isVisible(element) {
  return element.getClientRects().length > 0;
}
