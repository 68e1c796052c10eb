import { el } from '../lib/dom.js';
import { compact, ms, rowsText, runs } from '../lib/format.js';
import { tallyText } from './parts.js';

/** @typedef {{ rows: number, runs: number }} Tally */

/**
 * @typedef {object} Bin
 * @property {string} label under the bar
 * @property {string} range in words
 * @property {{ kind: string, tally: Tally }[]} parts from the bottom up
 */

/**
 * A histogram, as a list of bars, so that a screen reader reads it bar by bar.
 *
 * @param {string} label
 * @param {readonly Bin[]} bins
 */
export function histogram(label, bins) {
  const totalOf = (/** @type {Bin} */ { parts }) => parts.reduce((sum, { tally }) => sum + tally.runs, 0);
  const highest = Math.max(...bins.map(totalOf), 0);
  return el(
    'ol',
    { class: 'histogram', 'aria-label': label },
    bins.map((bin) => {
      const said = bin.parts.map(({ kind, tally }) => `${runs(tally)} ${kind}`).join(', ');
      const rows = rowsText(bin.parts.reduce((sum, { tally }) => sum + tally.rows, 0));
      return el(
        'li',
        { title: `${bin.range}: ${said} (${rows})`, key: bin.label },
        el('span', { class: 'visually-hidden' }, `${bin.range}: ${said}`),
        el(
          'span',
          { class: 'histogram-column', 'aria-hidden': 'true' },
          totalOf(bin) > 0 ? el('span', { class: 'histogram-value' }, compact(Math.round(totalOf(bin)))) : null,
          bin.parts
            .toReversed()
            .filter(({ tally }) => tally.runs > 0)
            // The smallest value still has some height; zero has none.
            .map(({ kind, tally }) =>
              el('span', {
                class: 'fill',
                style: { height: `max(2px, ${(tally.runs / highest) * 100}%)`, background: colorOf(kind) },
              }),
            ),
        ),
        el('span', { class: 'histogram-label', 'aria-hidden': 'true' }, bin.label),
      );
    }),
  );
}

/**
 * How long runs took, ok and failed ones.
 *
 * @param {string} label
 * @param {import('../types.d.ts').Strategy['durationBins']} durations
 */
export function durationHistogram(label, { ok, failed }) {
  return histogram(
    label,
    ok.map((bin, index) => ({
      label: bin.upToMs === null ? `>${compactMs(bin.aboveMs ?? 0)}` : compactMs(bin.upToMs),
      range: bin.upToMs === null ? `above ${ms(bin.aboveMs)}` : `up to ${ms(bin.upToMs)}`,
      parts: [
        { kind: 'ok', tally: bin },
        { kind: 'failed', tally: failed[index] ?? { rows: 0, runs: 0 } },
      ],
    })),
  );
}

/** The legend of such a histogram: its colours and labels. */
export function durationLegend() {
  return ['runs of up to … ms, ', swatch('ok', 'ok'), ' and ', swatch('failed', 'failed')];
}

/** @param {string} kind @param {string} text */
function swatch(kind, text) {
  return el(
    'span',
    { class: 'legend-inline' },
    el('span', { class: 'swatch', style: { background: colorOf(kind) } }),
    text,
  );
}

/** @param {string} kind names a colour of the style sheet */
function colorOf(kind) {
  return `var(--${kind})`;
}

/** @param {number} value */
function compactMs(value) {
  return value >= 1_000 ? `${value / 1_000}k` : `${value}`;
}

/**
 * Names with their counts, each with a bar for its share of the largest.
 *
 * @param {string} label
 * @param {readonly { name: string, tally: Tally, href?: string | null, kind?: string, isRest?: boolean }[]} entries
 */
export function rankedList(label, entries) {
  const highest = Math.max(...entries.map(({ tally }) => tally.runs), 0);
  return el(
    'ul',
    { class: 'ranked', 'aria-label': label },
    entries.map(({ name, tally, href = null, kind = 'plain', isRest = false }) =>
      el(
        'li',
        { key: `${isRest ? 'rest' : 'named'} ${name}`, class: isRest ? 'rest' : undefined },
        el('span', { class: 'ranked-name', title: name }, href === null ? name : el('a', { href }, name)),
        el('span', { class: 'ranked-count' }, tallyText(tally)),
        el(
          'span',
          { class: 'ranked-track', 'aria-hidden': 'true' },
          tally.runs > 0
            ? el('span', {
                class: 'fill',
                style: { width: `max(2px, ${(tally.runs / highest) * 100}%)`, background: colorOf(kind) },
              })
            : null,
        ),
      ),
    ),
  );
}

/**
 * The shares of a whole, as one bar.
 *
 * @param {string} label
 * @param {readonly { kind: string, value: number }[]} parts
 */
export function shareBar(label, parts) {
  const total = parts.reduce((sum, { value }) => sum + value, 0);
  return el(
    'span',
    { class: 'share-bar', role: 'img', 'aria-label': label, title: label },
    parts
      .filter(({ value }) => value > 0)
      .map(({ kind, value }) =>
        el('span', { style: { width: `${(value / total) * 100}%`, background: colorOf(kind) } }),
      ),
  );
}
