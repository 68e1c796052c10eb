import { durationHistogram, durationLegend, histogram } from '../components/bars.js';
import { chart } from '../components/chart.js';
import { card, emptyState } from '../components/parts.js';
import { statuses } from '../lib/contract-lists.js';
import { compact, decimal, ms, percent, rowsText, span } from '../lib/format.js';
import { felt } from './strategy-figures.js';
import { zoom } from './zoom.js';

/** @typedef {import('../types.d.ts').Strategy} Strategy */
/** @typedef {import('../types.d.ts').ViewContext} ViewContext */

/** @param {Strategy} strategy */
function timesOf({ series }) {
  return series.buckets.map(({ since }) => Date.parse(since) / 1_000);
}

/** @param {Strategy} strategy @param {ViewContext} context */
export function statusMixCard(strategy, context) {
  const { series, summary } = strategy;
  return card(
    'Status mix over time',
    { note: `runs in each ${span(series.bucketMs)}; drag to zoom` },
    chart({
      title: 'Status mix over time',
      summary: `${statuses.map((status) => `${compact(Math.round(summary.statuses[status].runs))} ${status}`).join(', ')}; ${percent(summary.failureRate.value)} failed`,
      kind: 'stack',
      times: timesOf(strategy),
      onSelect: zoom(context),
      lines: statuses.map((status) => ({
        name: status,
        color: `--${status}`,
        values: series.buckets.map((bucket) => bucket.statuses[status].runs),
      })),
      write: (value) => (value === null ? '–' : compact(Math.round(value))),
    }),
  );
}

const percentileNames = /** @type {const} */ (['p50', 'p95', 'p99']);

/** @param {Strategy} strategy @param {ViewContext} context */
export function latencyCard(strategy, context) {
  const { buckets } = strategy.series;
  const timed = buckets.filter(({ durationRows }) => durationRows > 0);
  const few = timed.filter(({ tooFew }) => tooFew.includes('p99')).length;
  return card(
    'Latency of ok runs over time',
    {
      note:
        few > 0
          ? `p99 is based on too few rows at ${few} of ${timed.length} times`
          : timed.length > 0
            ? 'every percentile is based on enough rows'
            : null,
    },
    timed.length === 0
      ? emptyState('No latency', 'No ok run in this window reported its duration.')
      : chart({
          title: 'Latency of ok runs over time',
          summary: summaryOf(strategy),
          kind: 'lines',
          isLog: true,
          times: timesOf(strategy),
          onSelect: zoom(context),
          lines: percentileNames.map((name) => ({
            name,
            color: `--${name}`,
            values: buckets.map((bucket) => bucket[name]),
          })),
          threshold: { value: felt, name: `${felt} ms, felt by users` },
          write: ms,
          remark: (line, index) =>
            buckets[index]?.durationRows && buckets[index]?.tooFew.includes(percentileNames[line] ?? 'p50')
              ? 'few rows'
              : null,
        }),
  );
}

/** @param {Strategy} strategy */
function summaryOf({ durations, series }) {
  const over = series.buckets.filter(({ p99 }) => p99 !== null && p99 > felt).length;
  const figures = percentileNames.map((name) => `${name} ${ms(durations.ok[name].value)}`).join(', ');
  return `over the window ${figures}; p99 was above ${felt} ms in ${over} of ${series.buckets.length} buckets; on a logarithmic scale`;
}

/** @param {Strategy} strategy */
export function durationCard({ durationBins, summary }) {
  const unknown = statuses.reduce((sum, status) => sum + summary.statuses[status].rowsWithoutDuration, 0);
  return card(
    'Durations',
    {
      note: [...durationLegend(), unknown > 0 ? `; ${rowsText(unknown)} without a usable duration` : null],
    },
    durationHistogram('Durations, by runs', durationBins),
  );
}

/** @param {Strategy} strategy */
export function pointsCard({ pointsBins, summary }) {
  const { min, max } = summary.points;
  return card(
    'Points',
    { note: pointsBins.length === 0 ? null : `ok runs by points from …, ${decimal(min)} to ${decimal(max)} in total` },
    pointsBins.length === 0
      ? emptyState('No points', 'No ok run in this window scored points.')
      : histogram(
          'Points, by runs',
          pointsBins.map((bin) => ({
            label: decimal(bin.from),
            range: bin.from === bin.below ? decimal(bin.from) : `${decimal(bin.from)} to ${decimal(bin.below)}`,
            parts: [{ kind: 'points', tally: bin }],
          })),
        ),
  );
}
