import { toCsv } from '../lib/csv.js';
import { button } from './parts.js';

/**
 * Saves a table as a file.
 *
 * @param {string} caption of the table
 * @param {() => { names: string[], rows: import('../lib/csv.js').CsvValue[][] }} read what is in it now
 */
export function csvButton(caption, read) {
  const save = () => {
    const { names, rows } = read();
    saveFile(`sluice-${toFileName(caption)}-${stamp()}.csv`, toCsv(names, rows));
  };
  return button('CSV', save, { describe: `Save as CSV: ${caption}`, kind: 'small' });
}

/** @param {string} name @param {string} text */
function saveFile(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/csv;charset=utf-8' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  // The browser has begun to read it by the next turn at the latest; some keep it longer than the click.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** @param {string} caption */
function toFileName(caption) {
  return caption
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 60)
    .replaceAll(/^-|-$/g, '');
}

/** In UTC, without what file systems refuse. */
function stamp() {
  return new Date().toISOString().slice(0, 19).replaceAll(':', '');
}
