import { figure, figures, tooFewMark } from '../components/parts.js';
import { el } from '../lib/dom.js';
import { compact, count, ms, percent } from '../lib/format.js';
import { moneys } from '../lib/money.js';

/** @typedef {import('../types.d.ts').RequestStats} RequestStats */

/** @param {RequestStats} stats */
export function requestFigures({ summary }) {
  const { requests, states, failureRate, latencyMs, firstTokenMs, tokens, cost } = summary;
  const open = states.processing + states.claimed + states.pending;
  return el(
    'section',
    { class: 'key-figures of-eight', 'aria-label': 'Key figures', key: 'figures' },
    figures(
      figure(
        'Requests',
        compact(requests),
        open > 0 ? `${count(open)} in progress` : `${count(summary.streams)} as streams`,
      ),
      figure(
        'Failure rate',
        percent(failureRate.value),
        [
          failureRate.low === null || failureRate.high === null
            ? null
            : `${percent(failureRate.low)} to ${percent(failureRate.high)}, `,
          `${count(states.failed)} failed`,
          tooFewMark(failureRate.tooFew && failureRate.value !== null),
        ],
        failureRate.value !== null && failureRate.value > 0.05 ? 'bad' : null,
      ),
      .../** @type {const} */ (['p50', 'p95']).map((name) => {
        const { value, low, high, tooFew } = latencyMs.completed[name];
        return figure(`Latency ${name}`, ms(value), [
          low === null || high === null ? 'of completed requests' : `${ms(low)} to ${ms(high)}`,
          tooFewMark(tooFew && value !== null),
        ]);
      }),
      figure('First token p50', ms(firstTokenMs.p50.value), [
        firstTokenMs.p50.rows === 0 ? 'no sender told it' : `p95 ${ms(firstTokenMs.p95.value)}`,
        tooFewMark(firstTokenMs.p50.tooFew && firstTokenMs.p50.value !== null),
      ]),
      figure(
        'Tokens in',
        compact(tokens.input),
        `${percent(tokens.input === 0 ? 0 : tokens.cached / tokens.input)} from a cache`,
      ),
      figure(
        'Tokens out',
        compact(tokens.output),
        `${percent(tokens.output === 0 ? 0 : tokens.reasoning / tokens.output)} of reasoning`,
      ),
      figure('Cost', moneys(cost.amounts), costDetail(cost)),
    ),
  );
}

/** How far the cost may be trusted. @param {RequestStats['summary']['cost']} cost */
export function costDetail({ amounts, withoutPrice, withoutTokens }) {
  if (amounts.length === 0 && withoutPrice === 0 && withoutTokens === 0) return 'nothing to pay for';
  const missing = [
    withoutPrice > 0 ? `${count(withoutPrice)} without a price` : null,
    withoutTokens > 0 ? `${count(withoutTokens)} without tokens` : null,
  ].filter((one) => one !== null);
  return missing.length === 0 ? 'of all that completed' : missing.join(', ');
}
