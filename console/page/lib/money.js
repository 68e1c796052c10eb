/** @typedef {{ currency: string, amount: string }} Money an exact decimal number, in a currency of ISO 4217 */

/** @type {Map<string, Intl.NumberFormat>} */
const formats = new Map();

/**
 * An amount: to the cent from 1 on, and below it with three digits that say something.
 *
 * @param {Money} money
 */
export function money({ currency, amount }) {
  const value = Number(amount);
  const isSmall = Math.abs(value) < 1 && value !== 0;
  const key = `${currency} ${isSmall}`;
  const format =
    formats.get(key) ??
    new Intl.NumberFormat('en', {
      style: 'currency',
      currency,
      ...(isSmall ? { maximumSignificantDigits: 3 } : {}),
    });
  formats.set(key, format);
  return format.format(value);
}

/**
 * Amounts of several currencies side by side.
 *
 * @param {readonly Money[]} amounts
 */
export function moneys(amounts) {
  return amounts.length === 0 ? '–' : amounts.map(money).join(' + ');
}
