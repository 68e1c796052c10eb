import { el } from '../lib/dom.js';
import { nothing } from '../lib/format.js';
import { csvButton } from './csv-button.js';

/** @typedef {import('../lib/dom.js').Child} Child */
/** @typedef {import('../lib/csv.js').CsvValue} CsvValue */

/**
 * @template T
 * @typedef {object} Column
 * @property {string} name
 * @property {(row: T) => Child} cell
 * @property {boolean} [isNumber]
 * @property {boolean} [isHead] the cell names the row
 * @property {string} [class]
 * @property {((row: T) => CsvValue) | Record<string, (row: T) => CsvValue>} [csv] the value in a CSV file, or the values of several
 *   columns by their names; `{}`: there is none, as for buttons. Without it, the text of the cell, and of a time its instant
 */

/**
 * A table that scrolls by itself if it is too wide, and whose rows become cards on a narrow screen. Its roles are explicit,
 * because it loses them when it is laid out as anything but a table. The reader can save it as a CSV file.
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
    { class: 'table' },
    el(
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
    ),
    rows.length === 0
      ? null
      : el(
          'p',
          { class: 'table-tools' },
          csvButton(caption, () => toRecords(columns, rows)),
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

/**
 * @template T
 * @param {Column<T>[]} columns
 * @param {readonly T[]} rows
 */
function toRecords(columns, rows) {
  const fields = columns.flatMap(({ name, cell, csv }) => {
    if (typeof csv === 'object') return Object.entries(csv);
    const read = csv ?? ((/** @type {T} */ row) => shownText(cell(row)));
    return [/** @type {[string, (row: T) => CsvValue]} */ ([name, read])];
  });
  return {
    names: fields.map(([name]) => name),
    rows: rows.map((row) => fields.map(([, read]) => read(row))),
  };
}

/** @param {Child} child */
function shownText(child) {
  const text = textOf(child).replaceAll(/\s+/g, ' ').trim();
  return text === nothing ? null : text;
}

/** @param {Child} child @returns {string} */
function textOf(child) {
  if (child === null || child === undefined || child === false) return '';
  if (typeof child === 'string' || typeof child === 'number') return String(child);
  if (Array.isArray(child)) return child.map(textOf).join('');
  const { type, props } = /** @type {import('../lib/dom.js').VNode} */ (child);
  return type === 'time' ? props.datetime : textOf(props.children);
}
