import { el } from '../lib/dom.js';
import { brief } from '../lib/format.js';

/** @typedef {import('../lib/to-trace-tree.js').TraceNode} TraceNode */

/**
 * A trace as nested lists: the keyboard opens and closes branches, and screen readers announce them as such.
 *
 * @param {import('../lib/to-trace-tree.js').TraceTree} tree
 */
export function traceTree({ roots, isInferred }) {
  return el(
    'div',
    // Deep nesting is reached by scrolling.
    { class: 'trace', role: 'region', tabindex: 0, 'aria-label': 'Trace' },
    isInferred
      ? el(
          'p',
          { class: 'note' },
          'The ids of these nodes do not say where they belong, so the nesting is inferred from their types.',
        )
      : null,
    el('ul', { class: 'tree', 'aria-label': 'Trace' }, roots.map(toItem)),
  );
}

/** @param {TraceNode} node @returns {import('../lib/dom.js').VNode} */
function toItem(node) {
  if (node.children.length === 0)
    return el(
      'li',
      { class: node.state },
      el('span', { class: 'tree-line leaf', tabindex: node.state === 'failed' ? -1 : undefined }, lineOf(node)),
    );
  return el(
    'li',
    { class: node.state },
    el(
      'details',
      { open: true },
      el('summary', { class: 'tree-line' }, lineOf(node)),
      el('ul', null, node.children.map(toItem)),
    ),
  );
}

/** @param {TraceNode} node */
function lineOf(node) {
  const { nodeId, type, branch, state } = node;
  const text = brief(node.value, 400);
  return [
    state === 'failed' ? el('span', { class: 'badge status-error' }, 'failed here') : null,
    state === 'unfinished' ? el('span', { class: 'badge' }, 'did not finish') : null,
    el('span', { class: 'tree-type' }, type),
    state === 'done' ? el('code', { class: `tree-value ${kindOf(node.value)}`, title: text }, text) : null,
    branch === null ? null : el('span', { class: 'tree-branch' }, branch),
    nodeId === null ? null : el('code', { class: 'tree-id', title: nodeId }, nodeId),
  ];
}

/** @param {unknown} value */
function kindOf(value) {
  return value === null ? 'null' : typeof value;
}
