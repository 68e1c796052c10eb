import { el } from '../lib/dom.js';

/** @typedef {import('../lib/dom.js').Child} Child */

/**
 * @template T
 * @typedef {object} Column
 * @property {string} name
 * @property {(row: T) => Child} cell
 * @property {boolean} [isNumber]
 * @property {boolean} [isHead] the cell names the row
 * @property {string} [class]
 */

/**
 * A table that scrolls by itself if it is too wide, and whose rows become cards on a narrow screen. Its roles are explicit,
 * because it loses them when it is laid out as anything but a table.
 *
 * @template T
 * @param {object} options
 * @param {string} options.caption what it lists, for screen readers
 * @param {Column<T>[]} options.columns
 * @param {readonly T[]} options.rows
 * @param {(row: T) => string} options.keyOf
 */
export function table({ caption, columns, rows, keyOf }) {
  return el(
    'div',
    { class: 'table-scroll', role: 'region', tabindex: 0, 'aria-label': caption },
    el(
      'table',
      { class: 'stacks', role: 'table', 'aria-label': caption },
      el(
        'thead',
        { role: 'rowgroup' },
        el(
          'tr',
          { role: 'row' },
          columns.map((column) =>
            el('th', { role: 'columnheader', scope: 'col', class: classOf(column) }, column.name),
          ),
        ),
      ),
      el(
        'tbody',
        { role: 'rowgroup' },
        rows.map((row) =>
          el(
            'tr',
            { role: 'row', key: keyOf(row) },
            columns.map((column) => toCell(column, row)),
          ),
        ),
      ),
    ),
  );
}

/**
 * @template T
 * @param {Column<T>} column
 * @param {T} row
 */
function toCell(column, row) {
  const shared = { class: classOf(column), 'data-column': column.name };
  // One child, so that the parts of a cell stay together when the cell is laid out as a grid.
  const content = el('div', null, column.cell(row));
  return column.isHead
    ? el('th', { ...shared, role: 'rowheader', scope: 'row' }, content)
    : el('td', { ...shared, role: 'cell' }, content);
}

/** @param {{ isNumber?: boolean, class?: string }} column */
function classOf({ isNumber, class: className }) {
  return [isNumber ? 'number' : null, className].filter(Boolean).join(' ') || undefined;
}
