import { figure, figures as figureList, tooFewMark } from '../components/parts.js';
import { el } from '../lib/dom.js';
import { decimal, isEstimate, ms, percent, rowsText, runs } from '../lib/format.js';

/** @typedef {import('../types.d.ts').Strategy} Strategy */

/** From this duration on, users notice a scoring event. */
export const felt = 250;

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
