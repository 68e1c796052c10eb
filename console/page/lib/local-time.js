/**
 * Times as clocks show them in the zone of this machine, and the instants that they stand for. The two differ when clocks
 * change: one reading may stand for two instants, or for none.
 */

const minuteMs = 60_000;
const dayMs = 86_400_000;

/**
 * What a clock shows, as if it were in UTC.
 *
 * @param {number} ms
 */
function shownAt(ms) {
  const at = new Date(ms);
  const day = [at.getFullYear(), at.getMonth(), at.getDate()];
  return Date.UTC(
    .../** @type {[number, number, number]} */ (day),
    at.getHours(),
    at.getMinutes(),
    at.getSeconds(),
    at.getMilliseconds(),
  );
}

/** @type {import('./local-time-shapes.d.ts').ToReading} */
export function toReading(ms) {
  return new Date(shownAt(ms)).toISOString().slice(0, 19);
}

/** @type {import('./local-time-shapes.d.ts').ToOffset} */
export function toOffset(ms) {
  const minutes = Math.round((shownAt(ms) - ms) / minuteMs);
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return `${minutes < 0 ? '-' : '+'}${pad(hours)}:${pad(rest)}`;
}

/** @param {number} value */
function pad(value) {
  return String(value).padStart(2, '0');
}

const pattern = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?$/;

/** @type {import('./local-time-shapes.d.ts').ToInstants} */
export function toInstants(reading) {
  const shown = pattern.test(reading) ? Date.parse(`${reading}Z`) : Number.NaN;
  // JavaScript reads the 30th of February as the second of March.
  if (Number.isNaN(shown) || !new Date(shown).toISOString().startsWith(reading.slice(0, 16))) return [];
  // The zone's offset before a change of the clocks, and after it: no zone changes twice in two days.
  const offsets = [shown - dayMs, shown + dayMs].map((ms) => shownAt(ms) - ms);
  const candidates = offsets.map((offset) => shown - offset).filter((ms) => shownAt(ms) === shown);
  return [...new Set(candidates)].toSorted((a, b) => a - b);
}

/** @type {import('./local-time-shapes.d.ts').ToDayStart} */
export function toDayStart(day) {
  const midnight = `${day}T00:00`;
  const [first] = toInstants(midnight);
  if (first !== undefined) return first;
  const shown = Date.parse(`${midnight}Z`);
  if (Number.isNaN(shown) || !new Date(shown).toISOString().startsWith(midnight)) return null;
  const before = shown - dayMs;
  return shown - (shownAt(before) - before);
}

/**
 * What a form's field means: the instant that it was given, unless the reader has changed what it shows.
 *
 * @param {{ reading: string, offset: string | null, given: string | null }} field reading: its text, to the second; offset: which
 *   of two instants of that reading, if there are two; given: the instant that the field was filled with
 * @returns {string | null} ISO 8601; null if it is empty, or no clock shows it
 */
export function toChosen({ reading, offset, given }) {
  const instants = toInstants(reading);
  const chosen = instants.find((ms) => toOffset(ms) === offset) ?? instants[0];
  if (chosen === undefined) return null;
  const givenMs = given === null ? null : parseInstant(given);
  return givenMs !== null && Math.floor(givenMs / 1_000) * 1_000 === chosen ? given : new Date(chosen).toISOString();
}

const year10000 = Date.UTC(10_000, 0);

/**
 * @param {string} text ISO 8601
 * @returns {number | null} ms since 1970; null if it is not a time from 1970 to 9999
 */
export function parseInstant(text) {
  const ms = Date.parse(text);
  return ms >= 0 && ms < year10000 ? ms : null;
}

/** The zone's name, such as Europe/Berlin. */
export function zoneName() {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}
