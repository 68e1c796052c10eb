import { figure, figures as figureList, tooFewMark } from '../components/parts.js';
import { el } from '../lib/dom.js';
import { count, counted, decimal, isEstimate, ms, percent, rowsText, runs } from '../lib/format.js';
import { hrefTo } from '../lib/route.js';

/** @typedef {import('../types.d.ts').Strategy} Strategy */

/** From this duration on, users notice a scoring event. */
export const felt = 250;

/**
 * What of the window has no row, and what that could mean for the failure rate.
 *
 * @param {Strategy['absent']} absent
 * @param {import('../lib/route.js').Route} route
 */
export function absentNote(absent, route) {
  if (absent === null) return null;
  const { records, dropped, refused, dead, notArrived, failureRate } = absent;
  const parts = /** @type {const} */ ([
    [dropped, 'dropped'],
    [refused, 'refused by Redis'],
    [dead, 'dead letters'],
    [notArrived, 'in flight or missing'],
  ]).flatMap(([of, text]) => (of === 0 ? [] : [`${count(of)} ${text}`]));
  const range =
    failureRate === null
      ? ''
      : ` With them, the failure rate could be ${percent(failureRate.low)} to ${percent(failureRate.high)}.`;
  return el(
    'p',
    { class: 'absent', key: 'absent' },
    `${counted(records, 'record')} of this window ${records === 1 ? 'has' : 'have'} no row, of any strategy: ${parts.join(', ')}.${range} `,
    el('a', { href: hrefTo(route, 'accounts', { queue: 'execution-log' }) }, 'See the accounts'),
  );
}

/** @param {Strategy} strategy */
export function keyFigures({ summary, durations }) {
  const { total, failed, failureRate, points } = summary;
  return el(
    'section',
    { class: 'key-figures', 'aria-label': 'Key figures', key: 'figures' },
    figureList(
      figure('Runs', runs(total), isEstimate(total) ? `from ${rowsText(total.rows)}` : 'every run is stored'),
      figure(
        'Failure rate',
        [failureRate.margin ? '≈ ' : '', percent(failureRate.value)],
        [
          failureRate.margin ? `± ${percent(failureRate.margin)} · ` : null,
          `${runs(failed)} failed`,
          tooFewMark(failureRate.tooFew),
        ],
        failureRate.value !== null && failureRate.value > 0.01 ? 'bad' : null,
      ),
      .../** @type {const} */ (['p50', 'p95', 'p99']).map((name) => {
        const { value, low, high, tooFew } = durations.ok[name];
        return figure(
          `${name} of ok runs`,
          ms(value),
          [
            low === null || high === null ? 'no durations' : `${ms(low)} to ${ms(high)}`,
            tooFewMark(tooFew && value !== null),
          ],
          value !== null && value > felt ? 'bad' : null,
        );
      }),
      figure(
        'Mean points',
        decimal(points.mean),
        points.rows === 0
          ? 'no run scored'
          : [
              points.margin ? `± ${decimal(points.margin)} · ` : null,
              `sum ${isEstimate(points) ? '≈ ' : ''}${decimal(points.sum)}, ${rowsText(points.rows)}`,
              tooFewMark(points.tooFew),
            ],
      ),
    ),
  );
}
