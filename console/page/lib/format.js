import { toOffset, toReading } from './local-time.js';

/** How values are written. */

/** @typedef {{ rows: number, runs: number }} Tally */

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 });
const digits = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });
const many = new Intl.NumberFormat('en', { maximumFractionDigits: 2 });

/** Written where there is no value. */
export const nothing = '–';

/** @param {number} value */
export function count(value) {
  return whole.format(value);
}

/** @param {number} value */
export function compact(value) {
  return Math.abs(value) < 10_000 ? whole.format(value) : short.format(value);
}

/** @param {number | null | undefined} value */
export function decimal(value) {
  if (value === null || value === undefined) return nothing;
  return (Math.abs(value) >= 1_000 ? many : digits).format(value).replace('-', '−');
}

/** @param {Tally} tally whether the runs are an estimate: some row stands for more than one */
export function isEstimate({ rows, runs }) {
  return Math.abs(rows - runs) > 1e-6;
}

/**
 * The number of runs, marked as approximate if it is an estimate.
 *
 * @param {Tally} tally
 */
export function runs(tally) {
  return `${isEstimate(tally) ? '≈ ' : ''}${compact(Math.round(tally.runs))}`;
}

/** A count with its noun in the singular or plural. @param {number} of @param {string} one @param {string} [plural] */
export function counted(of, one, plural = `${one}s`) {
  return `${count(of)} ${of === 1 ? one : plural}`;
}

/** @param {number} rows */
export function rowsText(rows) {
  return counted(rows, 'row');
}

/** @param {number | null | undefined} value a share from 0 to 1 */
export function percent(value) {
  if (value === null || value === undefined) return nothing;
  const hundredths = value * 100;
  if (hundredths !== 0 && Math.abs(hundredths) < 0.01) return hundredths > 0 ? '< 0.01 %' : '> −0.01 %';
  return `${signed(hundredths, Math.abs(hundredths) < 10 ? 2 : 1)} %`;
}

/**
 * @param {number} value
 * @param {number} places the maximum
 */
function signed(value, places) {
  return value
    .toFixed(places)
    .replace(/\.?0+$/, '')
    .replace('-', '−');
}

/** @param {number | null | undefined} value in ms */
export function ms(value) {
  if (value === null || value === undefined) return nothing;
  const size = Math.abs(value);
  const sign = value < 0 ? '−' : '';
  if (size < 1_000) return `${sign}${digits.format(size)} ms`;
  return `${sign}${span(size)}`;
}

/**
 * A duration in its two largest units.
 *
 * @param {number | null | undefined} value in ms
 */
export function span(value) {
  if (value === null || value === undefined) return nothing;
  const seconds = value / 1_000;
  if (seconds < 1) return `${Math.round(value)} ms`;
  if (seconds < 60) return `${digits.format(seconds)} s`;
  if (seconds < 3_600) return two(seconds, 60, 'min', 1, 's');
  if (seconds < 86_400) return two(seconds, 3_600, 'h', 60, 'min');
  return two(seconds, 86_400, 'd', 3_600, 'h');
}

/**
 * @param {number} seconds
 * @param {number} large
 * @param {string} largeUnit
 * @param {number} small
 * @param {string} smallUnit
 */
function two(seconds, large, largeUnit, small, smallUnit) {
  const wholes = Math.floor(seconds / large);
  const rest = Math.floor((seconds - wholes * large) / small);
  return rest === 0 ? `${wholes} ${largeUnit}` : `${wholes} ${largeUnit} ${rest} ${smallUnit}`;
}

/** @param {number | null | undefined} value */
export function bytes(value) {
  if (value === null || value === undefined) return nothing;
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let [size, unit] = [value, 0];
  while (size >= 1_024 && unit < units.length - 1) [size, unit] = [size / 1_024, unit + 1];
  return `${digits.format(size)} ${units[unit]}`;
}

/**
 * Date, time and offset in the reader's time zone, such as `2026-10-25 02:30:00 +02:00`. Without the offset, two instants read
 * the same when clocks are set back.
 *
 * @param {string | number | Date} time
 */
export function time(time) {
  const ms = new Date(time).getTime();
  return `${toReading(ms).replace('T', ' ')} ${toOffset(ms)}`;
}

/**
 * @param {string | number | Date} time
 * @param {number} nowMs
 */
export function ago(time, nowMs) {
  const pastMs = nowMs - new Date(time).getTime();
  const size = Math.abs(pastMs);
  if (pastMs < 1_000 && size < 60_000) return 'just now';
  // In its largest unit.
  const text = span(Math.floor(size / 1_000) * 1_000)
    .split(' ')
    .slice(0, 2)
    .join(' ');
  // More than a little ahead: one of the two clocks is wrong.
  return pastMs < 0 ? `in ${text}` : `${text} ago`;
}

/** @param {unknown} value as JSON on one line, shortened */
export function brief(value, chars = 80) {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > chars ? `${text.slice(0, chars - 1)}…` : text;
}
