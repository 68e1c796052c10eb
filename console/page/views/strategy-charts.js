import { histogram } from '../components/bars.js';
import { chart } from '../components/chart.js';
import { card, emptyState } from '../components/parts.js';
import { el } from '../lib/dom.js';
import { compact, count, decimal, ms, percent, span } from '../lib/format.js';
import { statuses } from '../lib/statuses.js';
import { felt } from './strategy-figures.js';

/** @typedef {import('../types.d.ts').Strategy} Strategy */

/** @param {Strategy} strategy */
function timesOf({ series }) {
  return series.buckets.map(({ since }) => Date.parse(since) / 1_000);
}

/** @param {Strategy} strategy */
export function statusMixCard(strategy) {
  const { series, summary } = strategy;
  return card(
    'Status mix over time',
    { note: `estimated runs in each ${span(series.bucketMs)}` },
    chart({
      title: 'Status mix over time',
      summary: `${statuses.map((status) => `${compact(Math.round(summary.statuses[status].runs))} ${status}`).join(', ')}; ${percent(summary.failureRate.value)} failed`,
      kind: 'stack',
      times: timesOf(strategy),
      lines: statuses.map((status) => ({
        name: status,
        color: `--${status}`,
        values: series.buckets.map((bucket) => bucket.statuses[status].runs),
      })),
      write: (value) => (value === null ? '–' : compact(Math.round(value))),
      remark: () => null,
    }),
  );
}

const percentileNames = /** @type {const} */ (['p50', 'p95', 'p99']);

/** @param {Strategy} strategy */
export function latencyCard(strategy) {
  const { buckets } = strategy.series;
  const timed = buckets.filter(({ durationRows }) => durationRows > 0);
  const few = timed.filter(({ tooFew }) => tooFew.includes('p99')).length;
  return card(
    'Latency of ok runs over time',
    {
      note:
        few > 0 ? `p99 rests on too few rows in ${few} of ${timed.length}` : 'every percentile rests on enough rows',
    },
    timed.length === 0
      ? emptyState('No ok run', 'Without one there is no latency to show.')
      : chart({
          title: 'Latency of ok runs over time',
          summary: summaryOf(strategy),
          kind: 'lines',
          isLog: true,
          times: timesOf(strategy),
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
  const bins = durationBins.ok.map((bin, index) => ({
    label: bin.upToMs === null ? `>${compactMs(bin.aboveMs ?? 0)}` : compactMs(bin.upToMs),
    range: bin.upToMs === null ? `above ${ms(bin.aboveMs)}` : `up to ${ms(bin.upToMs)}`,
    parts: [
      { kind: 'ok', tally: bin },
      { kind: 'failed', tally: durationBins.failed[index] ?? { rows: 0, runs: 0 } },
    ],
  }));
  return card(
    'Durations',
    {
      note: [
        'ms, runs of ',
        legend('ok', 'ok'),
        ' and ',
        legend('failed', 'failed'),
        unknown > 0 ? `; ${count(unknown)} rows without a usable one` : null,
      ],
    },
    histogram('Durations, by runs', bins),
  );
}

/** @param {string} kind @param {string} text */
function legend(kind, text) {
  return el('span', { class: 'legend-inline' }, el('span', { class: `swatch fill-${kind}` }), text);
}

/** @param {number} value */
function compactMs(value) {
  return value >= 1_000 ? `${value / 1_000}k` : `${value}`;
}

/** @param {Strategy} strategy */
export function pointsCard({ pointsBins, summary }) {
  const { min, max } = summary.points;
  return card(
    'Points',
    { note: pointsBins.length === 0 ? null : `of ok runs, ${decimal(min)} to ${decimal(max)}` },
    pointsBins.length === 0
      ? emptyState('No points', 'No ok run in this window has scored.')
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
