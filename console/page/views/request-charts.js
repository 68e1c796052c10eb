import { chart } from '../components/chart.js';
import { card, emptyState } from '../components/parts.js';
import { statusClasses } from '../lib/contract-lists.js';
import { compact, count, ms, percent, span } from '../lib/format.js';
import { money } from '../lib/money.js';
import { zoom } from './zoom.js';

/** @typedef {import('../types.d.ts').RequestStats} RequestStats */
/** @typedef {import('../types.d.ts').ViewContext} ViewContext */
/** @typedef {RequestStats['series']['buckets'][number]} Bucket */

/** @param {RequestStats} stats */
function timesOf({ series }) {
  return series.buckets.map(({ since }) => Date.parse(since) / 1_000);
}

/** The colours of the classes of status; those of failures stand out. */
const classColors = {
  '1xx': '--cancelled',
  '2xx': '--ok',
  '3xx': '--limit',
  '4xx': '--timeout',
  '5xx': '--error',
  none: '--cancelled',
};

/** @param {RequestStats} stats @param {ViewContext} context */
export function statusClassCard(stats, context) {
  const { series, summary } = stats;
  const seen = [...statusClasses, /** @type {const} */ ('none')].filter((name) => summary.statusClasses[name] > 0);
  return card(
    'Requests and failures over time',
    { note: `by status of the response, in each ${span(series.bucketMs)}; drag to zoom` },
    chart({
      title: 'Requests over time by status',
      summary: `${count(summary.requests)} requests; ${percent(summary.failureRate.value)} of those that ended failed`,
      kind: 'stack',
      times: timesOf(stats),
      onSelect: zoom(context),
      lines: seen.map((name) => ({
        name: name === 'none' ? 'no response' : name,
        color: classColors[name],
        values: series.buckets.map((bucket) => bucket.statusClasses[name]),
      })),
      write: (value) => (value === null ? '–' : compact(value)),
      remark: (line, index) =>
        line === 0 && series.buckets[index] !== undefined ? failedShare(series.buckets[index]) : null,
    }),
  );
}

/** @param {Bucket} bucket */
function failedShare({ states: { completed, failed } }) {
  return failed === 0 ? null : `${percent(failed / (completed + failed))} failed`;
}

const percentileNames = /** @type {const} */ (['p50', 'p95', 'p99']);

/** @param {RequestStats} stats @param {ViewContext} context */
export function latencyCard(stats, context) {
  return percentilesCard('Latency over time', 'of completed requests', 'latencyMs', stats, context);
}

/** @param {RequestStats} stats @param {ViewContext} context */
export function firstTokenCard(stats, context) {
  if (stats.summary.firstTokenMs.p50.rows === 0) return null;
  return percentilesCard('Time to first token', 'where the sender tells it', 'firstTokenMs', stats, context);
}

/**
 * @param {string} title
 * @param {string} note
 * @param {'latencyMs' | 'firstTokenMs'} name
 * @param {RequestStats} stats
 * @param {ViewContext} context
 */
function percentilesCard(title, note, name, stats, context) {
  const { buckets } = stats.series;
  const timed = buckets.filter((bucket) => bucket[name].rows > 0);
  const few = timed.filter((bucket) => bucket[name].tooFew.includes('p99')).length;
  const whole = name === 'latencyMs' ? stats.summary.latencyMs.completed : stats.summary.firstTokenMs;
  return card(
    title,
    { note: few > 0 ? `${note}; p99 is based on too few requests at ${few} of ${timed.length} times` : note },
    timed.length === 0
      ? emptyState('No times', 'No completed request of this window says how long it took.')
      : chart({
          title,
          summary: `over the window ${percentileNames.map((each) => `${each} ${ms(whole[each].value)}`).join(', ')}; on a logarithmic scale`,
          kind: 'lines',
          isLog: true,
          times: timesOf(stats),
          onSelect: zoom(context),
          lines: percentileNames.map((each) => ({
            name: each,
            color: `--${each}`,
            values: buckets.map((bucket) => bucket[name][each]),
          })),
          write: ms,
          remark: (line, index) => {
            const bucket = buckets[index];
            const each = percentileNames[line] ?? 'p50';
            return bucket !== undefined && bucket[name].rows > 0 && bucket[name].tooFew.includes(each) ? 'few' : null;
          },
        }),
  );
}

/** @param {RequestStats} stats @param {ViewContext} context */
export function tokensCard(stats, context) {
  const { buckets } = stats.series;
  const { input, cached, output } = stats.summary.tokens;
  return card(
    'Tokens over time',
    { note: 'those from a cache apart' },
    input + output === 0
      ? emptyState('No tokens', 'No request of this window says how many tokens it used.')
      : chart({
          title: 'Tokens over time',
          summary: `${count(input)} in, of them ${count(cached)} from a cache, and ${count(output)} out`,
          kind: 'stack',
          times: timesOf(stats),
          onSelect: zoom(context),
          lines: [
            { name: 'out', color: '--p95', values: buckets.map(({ tokens }) => tokens.output) },
            { name: 'in', color: '--plain', values: buckets.map(({ tokens }) => tokens.input - tokens.cached) },
            { name: 'in, from a cache', color: '--cancelled', values: buckets.map(({ tokens }) => tokens.cached) },
          ],
          write: (value) => (value === null ? '–' : compact(value)),
        }),
  );
}

const costColors = ['--p50', '--p95', '--p99'];

/** @param {RequestStats} stats @param {ViewContext} context */
export function costCard(stats, context) {
  const { buckets } = stats.series;
  const currencies = stats.summary.cost.amounts.map(({ currency }) => currency);
  return card(
    'Cost over time',
    { note: 'computed now, by the prices of each time' },
    currencies.length === 0
      ? emptyState(
          'No cost',
          'Nothing in this window has both tokens and a price. `sluice prices import FILE` adds prices.',
        )
      : chart({
          title: 'Cost over time',
          summary: `${stats.summary.cost.amounts.map(money).join(' and ')} over the window`,
          kind: 'lines',
          isFractional: true,
          times: timesOf(stats),
          onSelect: zoom(context),
          lines: currencies.map((currency, index) => ({
            name: currency,
            color: costColors[index % costColors.length] ?? '--plain',
            values: buckets.map(({ cost }) =>
              Number(cost.amounts.find((amount) => amount.currency === currency)?.amount ?? 0),
            ),
          })),
          write: (value) => (value === null ? '–' : money({ currency: currencies[0] ?? 'USD', amount: `${value}` })),
        }),
  );
}
