/** Numbers, and names, for a person to read. A missing value is a dash. */

export const none = '–';

/** A name behind an id; nothing if there is none. */
export function inBrackets(name: string | null | undefined): string {
  return name == null ? '' : ` (${name})`;
}

/** A whole number with thousands separators; estimates are rounded. */
export function toCount(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** With three significant digits, and without an exponent up to a million million. */
export function toFigure(value: number | null): string {
  if (value === null) return none;
  return Math.abs(value) >= 1_000
    ? Math.round(value).toLocaleString('en-US')
    : String(Number.parseFloat(value.toPrecision(3)));
}

/** A share as a percentage, with three significant digits. */
export function toPercentage(share: number | null): string {
  return share === null ? none : `${toFigure(share * 100)} %`;
}

/** How long something has lasted, in the largest unit that gives at least two of it. */
export function toAge(seconds: number): string {
  const units = [
    ['d', 86_400],
    ['h', 3_600],
    ['min', 60],
  ] as const;
  for (const [name, size] of units) if (seconds >= 2 * size) return `${Math.floor(seconds / size)} ${name}`;
  return `${Math.floor(seconds)} s`;
}

/** With a sign, even if it is positive. */
export function withSign(text: string): string {
  return text === none || text.startsWith('-') || text === '0' || text === '0 %' ? text : `+${text}`;
}
