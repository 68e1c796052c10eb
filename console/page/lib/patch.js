import { handlersOf, setHandlers } from './dom.js';

/**
 * Brings what is shown to what it should be, changing only what differs: a live refresh moves neither the focus nor the
 * scroll position, closes no list that was opened, and takes no typed text away. Children with a key are found again by
 * it, the others by their place.
 */

/**
 * A part that draws itself, such as a chart: it is kept and handed its next properties.
 *
 * @typedef {object} Widget
 * @property {string} kind
 * @property {any} props
 * @property {() => void} mount called once it is in the document
 * @property {(props: any) => void} update
 * @property {() => void} destroy
 */

/** @type {WeakMap<Node, Widget>} */
const widgets = new WeakMap();
/** @type {WeakSet<Node>} */
const mounted = new WeakSet();

/**
 * @template {HTMLElement} T
 * @param {T} host
 * @param {Widget} widget
 * @returns {T}
 */
export function asWidget(host, widget) {
  host.setAttribute('data-widget', widget.kind);
  widgets.set(host, widget);
  return host;
}

/**
 * Shows these nodes in a container.
 *
 * @param {Element} container
 * @param {Node[]} nodes
 */
export function show(container, ...nodes) {
  patchChildren(container, nodes);
  for (const host of container.querySelectorAll('[data-widget]')) {
    const widget = widgets.get(host);
    if (widget === undefined || mounted.has(host)) continue;
    mounted.add(host);
    widget.mount();
  }
}

/**
 * @param {Element} parent
 * @param {Node[]} wanted
 */
function patchChildren(parent, wanted) {
  const keyed = new Map(
    [...parent.children].flatMap((child) => (keyOf(child) === null ? [] : [[keyOf(child), child]])),
  );
  const kept = new Set(wanted.map(keyOf));
  /** @type {Node | null} */
  let place = parent.firstChild;
  for (const next of wanted) {
    // What is keyed and not wanted any more goes first: what follows it need not be moved, which would take the focus.
    while (place !== null && keyOf(place) !== null && !kept.has(keyOf(place))) place = remove(place);
    const key = keyOf(next);
    const found = key === null ? (place !== null && keyOf(place) === null ? place : null) : (keyed.get(key) ?? null);
    if (found === null) {
      parent.insertBefore(next, place);
    } else if (!isAlike(found, next)) {
      if (found === place) place = remove(found);
      else remove(found);
      parent.insertBefore(next, place);
    } else {
      if (found === place) place = found.nextSibling;
      else parent.insertBefore(found, place);
      patch(found, next);
    }
  }
  while (place !== null) place = remove(place);
}

/**
 * @param {Node} old
 * @param {Node} next
 */
function patch(old, next) {
  const [oldWidget, nextWidget] = [widgets.get(old), widgets.get(next)];
  if (oldWidget !== undefined && nextWidget !== undefined) {
    oldWidget.update(nextWidget.props);
    return;
  }
  if (old instanceof HTMLElement && next instanceof HTMLElement) {
    const chosen = next instanceof HTMLSelectElement ? next.value : '';
    patchAttributes(old, next);
    setHandlers(old, handlersOf(next));
    patchChildren(old, [...next.childNodes]);
    // Once the reader has chosen, the attributes of the options decide no more.
    if (old instanceof HTMLSelectElement) old.value = chosen;
  } else if (old.nodeValue !== next.nodeValue) {
    old.nodeValue = next.nodeValue;
  }
}

/** Of the reader's own doing: whether it is open, and what is typed. */
const left = new Set(['open', 'style']);

/**
 * @param {HTMLElement} old
 * @param {HTMLElement} next
 */
function patchAttributes(old, next) {
  const was = old.getAttribute('value') ?? '';
  for (const { name } of [...old.attributes]) {
    if (!left.has(name) && !next.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const { name, value } of next.attributes) {
    if (!left.has(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  if (old.style.cssText !== next.style.cssText) old.style.cssText = next.style.cssText;
  if (!(old instanceof HTMLInputElement) || !(next instanceof HTMLInputElement)) return;
  old.checked = next.checked;
  // What is typed stays until the address says something else: half of a window of time, too, or a blank after a word.
  const wanted = next.getAttribute('value') ?? '';
  if (wanted !== was && wanted !== old.value.trim()) old.value = wanted;
}

/**
 * @param {Node} old
 * @param {Node} next
 */
function isAlike(old, next) {
  return old.nodeName === next.nodeName && widgets.get(old)?.kind === widgets.get(next)?.kind;
}

/**
 * @param {Node} node
 * @returns {string | null}
 */
function keyOf(node) {
  return node instanceof Element ? node.getAttribute('data-key') : null;
}

/**
 * @param {Node} node
 * @returns {Node | null} what came after it
 */
function remove(node) {
  const next = node.nextSibling;
  destroyWidgets(node);
  node.parentNode?.removeChild(node);
  return next;
}

/** @param {Node} node */
function destroyWidgets(node) {
  if (!(node instanceof Element)) return;
  for (const host of [node, ...node.querySelectorAll('[data-widget]')]) {
    if (mounted.delete(host)) widgets.get(host)?.destroy();
  }
}
